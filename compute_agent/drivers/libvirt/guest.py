"""A noun around libvirt's domain handle: one guest of ours, with verbs that may be repeated."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from xml.etree import ElementTree as ET

import libvirt

from compute_agent.drivers.base import DomainFacts, Interface, PowerState
from compute_agent.drivers.libvirt.domain_facts import read_domain
from compute_agent.drivers.libvirt.domain_xml import MARK_NAMESPACE, copy_xml
from compute_agent.drivers.libvirt.errors import ForeignDomain, translated
from compute_agent.drivers.libvirt.interfaces import set_interfaces
from compute_agent.drivers.libvirt.patience import GoesOn
from compute_agent.errors import DriverError

_JOB_POLL_SECONDS = 0.1
# Nova's table of the same.
_POWER_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: PowerState.NOSTATE,
    libvirt.VIR_DOMAIN_RUNNING: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: PowerState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: PowerState.SUSPENDED,
}
_UNDEFINE_FLAGS = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)
# What libvirt answers when a domain has no element of the namespace asked for, or is gone.
_NOT_MARKED = frozenset({libvirt.VIR_ERR_NO_DOMAIN_METADATA, libvirt.VIR_ERR_NO_DOMAIN})


class Guest:
    """One domain."""

    def __init__(self, domain: libvirt.virDomain) -> None:
        self._domain = domain
        self.uuid: str = domain.UUIDString()

    @classmethod
    def find(cls, connection: libvirt.virConnect, uuid: str) -> "Guest":
        """Return our guest of that uuid.

        Raises:
            DomainNotFound: there is none.
            ForeignDomain: it is somebody else's.
        """
        with translated(f"domain {uuid}"):
            guest = cls(connection.lookupByUUIDString(uuid))
            if not guest.is_ours():
                raise ForeignDomain(f"domain {uuid} was not made by us")
            return guest

    @classmethod
    def ours(cls, connection: libvirt.virConnect) -> "list[Guest]":
        """Return our guests."""
        with translated("listing the domains"):
            guests = [cls(domain) for domain in connection.listAllDomains()]
            return [guest for guest in guests if guest.is_ours()]

    def is_ours(self) -> bool:
        """Whether the definition carries our mark."""
        try:
            self._domain.metadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, MARK_NAMESPACE)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() in _NOT_MARKED:
                return False
            raise
        return True

    def power_state(self) -> PowerState:
        """Return Nova's number for the domain's state."""
        with translated(f"state of domain {self.uuid}"):
            return _POWER_STATES[self._domain.state()[0]]

    def facts(self) -> DomainFacts:
        """Read the definition that lasts; of a running guest without one, the one that it runs with."""
        with translated(f"definition of domain {self.uuid}"):
            flags = libvirt.VIR_DOMAIN_XML_INACTIVE if self._domain.isPersistent() else 0
            return read_domain(self._domain.XMLDesc(flags), self.power_state())

    def start(self) -> None:
        """Make it run."""
        match self.power_state():
            case PowerState.PAUSED:
                with translated(f"resuming domain {self.uuid}"):
                    self._domain.resume()
            case PowerState.SUSPENDED:
                with translated(f"waking domain {self.uuid}"):
                    self._domain.pMWakeup()
            case PowerState.SHUTDOWN | PowerState.CRASHED | PowerState.NOSTATE:
                self._create()

    def press_power_button(self) -> None:
        """Ask the guest to shut down."""
        if self._is_active():
            with translated(f"shutting down domain {self.uuid}"), self._unless_already_off():
                self._domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN)

    def cut_power(self) -> None:
        """Switch it off at once."""
        if self._is_active():
            with translated(f"destroying domain {self.uuid}"), self._unless_already_off():
                self._domain.destroy()

    def forget(self) -> None:
        """Remove its definition with all that libvirt keeps for it."""
        with translated(f"undefining domain {self.uuid}"):
            self._domain.undefineFlags(_UNDEFINE_FLAGS)

    def set_interfaces(self, wanted: Sequence[Interface], goes_on: GoesOn) -> None:
        """Let it have these interfaces and no others; `goes_on` is called after each answer of the guest's QEMU."""
        with translated(f"changing the interfaces of domain {self.uuid}"):
            set_interfaces(self._domain, wanted, goes_on)

    def copy_first_disk(self, path: str, goes_on: GoesOn) -> None:
        """Mirror the first disk into an existing qcow2 file until both are the same, then part them.

        Args:
            path: the file.
            goes_on: called after each answer of the guest's QEMU.
        """
        with translated(f"copying the disk of domain {self.uuid}"):
            target = self._first_disk()
            flags = libvirt.VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
            if self._domain.blockJobInfo(target):
                self._domain.blockJobAbort(target)  # of an agent that died meanwhile
            self._domain.blockCopy(target, copy_xml(path), {}, flags)
            try:
                self._await_mirror(target, goes_on)
            finally:
                self._end_job(target)

    def _first_disk(self) -> str:
        document = ET.fromstring(self._domain.XMLDesc())  # noqa: S314 - libvirtd's own words
        disk = document.find("devices/disk[@device='disk']/target")
        if disk is None:
            raise DriverError(f"domain {self.uuid} has no disk")
        return str(disk.get("dev"))

    def _await_mirror(self, target: str, goes_on: GoesOn) -> None:
        while job := self._domain.blockJobInfo(target):
            goes_on()
            if 0 < job["end"] == job["cur"]:
                return
            time.sleep(_JOB_POLL_SECONDS)
        raise DriverError(f"the copy of the disk of domain {self.uuid} ended before it was whole")

    def _end_job(self, target: str) -> None:
        """Part the disk from its copy; a guest that is gone has done so by itself."""
        if self._domain.isActive() and self._domain.blockJobInfo(target):
            self._domain.blockJobAbort(target)

    def _create(self) -> None:
        with translated(f"starting domain {self.uuid}"):
            try:
                self._domain.create()
            except libvirt.libvirtError as exc:
                # Somebody else may have started it since we looked.
                if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID or not self._domain.isActive():
                    raise

    @contextmanager
    def _unless_already_off(self) -> Iterator[None]:
        """Let it pass that the guest went off by itself meanwhile."""
        try:
            yield
        except libvirt.libvirtError as exc:
            if exc.get_error_code() != libvirt.VIR_ERR_OPERATION_INVALID or self._domain.isActive():
                raise

    def _is_active(self) -> bool:
        with translated(f"state of domain {self.uuid}"):
            return bool(self._domain.isActive())
