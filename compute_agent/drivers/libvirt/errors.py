"""libvirt's errors in the agent's words."""

from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from compute_agent.errors import DomainNotFound, DriverError

_SILENT = "libvirt does not answer"


class ForeignDomain(DomainNotFound):
    """A domain of that uuid exists, but somebody else made it: for us there is none."""


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Raise DomainNotFound or DriverError for whatever libvirt raises inside; `action` begins the sentence."""
    try:
        yield
    except libvirt.libvirtError as exc:
        kind = DomainNotFound if exc.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN else DriverError
        if exc.get_error_domain() == libvirt.VIR_FROM_RPC and not action.startswith(_SILENT):
            action = f"{_SILENT}: {action}"
        raise kind(f"{action}: {exc} (libvirt error {exc.get_error_code()})") from exc
