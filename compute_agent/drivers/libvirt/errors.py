"""libvirt's errors in the agent's words."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from compute_agent.errors import DomainNotFound, DriverError, HostDiskFull

_SILENT = "libvirt does not answer"
# In the words of the C library, which is all that libvirt hands on of it.
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


class ForeignDomain(DomainNotFound):
    """A domain of that uuid exists, but somebody else made it: for us there is none."""


class NoRoomForDomain(HostDiskFull, DriverError):
    """No space is left for what libvirt or QEMU must write, as a console's log."""


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Raise a DriverError for whatever libvirt raises inside: DomainNotFound, NoRoomForDomain, or any.

    `action` begins the sentence.
    """
    try:
        yield
    except libvirt.libvirtError as exc:
        kind = _kind(exc)
        if exc.get_error_domain() == libvirt.VIR_FROM_RPC and not action.startswith(_SILENT):
            action = f"{_SILENT}: {action}"
        raise kind(f"{action}: {exc} (libvirt error {exc.get_error_code()})") from exc


def _kind(error: libvirt.libvirtError) -> type[DriverError]:
    if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
        return DomainNotFound
    return NoRoomForDomain if any(words in str(error) for words in _FULL) else DriverError
