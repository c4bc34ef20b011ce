"""The libvirt driver: each verb in a few words, the work in the modules beside it."""

import os
from collections.abc import Sequence
from contextlib import suppress

import libvirt

from compute_agent.drivers.base import DomainFacts, DomainSpec, Interface, Inventory, LifecycleListener, PowerState
from compute_agent.drivers.libvirt.capabilities import read_processor, traits
from compute_agent.drivers.libvirt.domain_xml import domain_xml
from compute_agent.drivers.libvirt.errors import ForeignDomain, translated
from compute_agent.drivers.libvirt.guest import Guest
from compute_agent.drivers.libvirt.host import Host
from compute_agent.drivers.libvirt.lifecycle import LifecycleWatcher
from compute_agent.drivers.libvirt.patience import unless_silent, within
from compute_agent.drivers.libvirt.settings import LibvirtSettings
from compute_agent.errors import DomainNotFound, DriverError

_GIB = 1024**3
_BUTTON_SECONDS = 10.0
# Less than any order has that starts a guest; a host under load has taken 46 s.
_START_SECONDS = 120.0
_COPY_SECONDS = 30.0
_PLUG_SECONDS = 30.0


class LibvirtDriver:
    """QEMU guests through libvirt. See HypervisorDriver for what each verb promises.

    Connects at first use, and again after libvirtd was away.
    """

    def __init__(self, settings: LibvirtSettings) -> None:
        self._settings = settings
        self._host = Host(settings.uri)
        self._watcher = LifecycleWatcher(self._host, self._is_ours, self.list_domains)

    def inventory(self) -> Inventory:
        """Return what the host has now; memory and processor by libvirt's word, the disk by its file system's."""
        connection = self._host.connection()
        with translated("reading the host's inventory"):
            processor = read_processor(connection.getCapabilities())
            # Its memory is that of NUMA nodes, which may lack what was plugged in later: the statistics know it all.
            _, _, cpus, _, nodes, sockets, cores, threads = connection.getInfo()
            memory = connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS)
            hostname = self._settings.hostname or connection.getHostname()
            kind, version = connection.getType(), connection.getVersion()
        total_gb, free_gb = self._disk_gb()
        return Inventory(
            hypervisor_hostname=hostname,
            hypervisor_type=kind,
            hypervisor_version=version,
            vcpus=cpus,
            memory_mb=memory["total"] // 1024,
            memory_mb_free=(memory["free"] + memory.get("buffers", 0) + memory.get("cached", 0)) // 1024,
            disk_gb=total_gb,
            disk_gb_free=free_gb,
            architecture=processor.architecture,
            cpu_model=processor.model,
            cpu_vendor=processor.vendor,
            cpu_sockets=nodes * sockets,
            cpu_cores=cores,
            cpu_threads=threads,
            cpu_features=processor.features,
            traits=traits(processor, self._settings.virt_type),
        )

    def list_domains(self) -> dict[str, PowerState]:
        """Return the power states of our domains by uuid."""
        states = {}
        for guest in Guest.ours(self._host.connection()):
            with suppress(DomainNotFound):  # gone since it was listed
                states[guest.uuid] = guest.power_state()
        return states

    def power_state(self, uuid: str) -> PowerState:
        """Return a domain's power state."""
        return self._guest(uuid).power_state()

    def inspect(self, uuid: str) -> DomainFacts:
        """Return what libvirt has of the domain, as it will start the next time."""
        return self._guest(uuid).facts()

    def define(self, spec: DomainSpec) -> None:
        """Make the definition as given; libvirt keeps a running guest as it is until its next start."""
        document = domain_xml(spec, self._settings)
        connection = self._host.connection()
        _refuse_foreign(connection, spec.uuid)
        with translated(f"defining domain {spec.uuid}"):
            connection.defineXMLFlags(document, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)

    def start(self, uuid: str) -> None:
        """Make the domain run; a paused one is resumed. A QEMU that hangs would let libvirt wait for ever."""
        within(_START_SECONDS, lambda: self._guest(uuid).start(), "starting a guest")

    def request_shutdown(self, uuid: str) -> None:
        """Press the power button; it is not waited for long, because the power can be cut."""
        within(_BUTTON_SECONDS, lambda: self._guest(uuid).press_power_button(), "the power button")

    def power_off(self, uuid: str) -> None:
        """Cut the power."""
        self._guest(uuid).cut_power()

    def undefine(self, uuid: str) -> None:
        """Cut the power and forget the domain."""
        with suppress(DomainNotFound):
            guest = self._guest(uuid)
            guest.cut_power()
            guest.forget()

    def set_interfaces(self, uuid: str, interfaces: Sequence[Interface]) -> None:
        """Plug and unplug in the running guest, and in the definition."""
        unless_silent(
            _PLUG_SECONDS, lambda goes_on: self._guest(uuid).set_interfaces(interfaces, goes_on), "changing interfaces"
        )

    def copy_root_disk(self, uuid: str, path: str) -> None:
        """Copy the first disk with what is written to it meanwhile, up to one moment. It may take long, but goes on."""
        unless_silent(
            _COPY_SECONDS, lambda goes_on: self._guest(uuid).copy_first_disk(path, goes_on), "copying a disk"
        )

    def subscribe(self, listener: LifecycleListener) -> None:
        """Call the listener at each change, from the watcher's thread."""
        self._watcher.subscribe(listener)

    def close(self) -> None:
        """End the watcher and the connection."""
        self._watcher.close()
        self._host.close()

    def _guest(self, uuid: str) -> Guest:
        return Guest.find(self._host.connection(), uuid)

    def _is_ours(self, uuid: str) -> bool:
        return self._guest(uuid).uuid == uuid

    def _disk_gb(self) -> tuple[int, int]:
        try:
            disk = os.statvfs(self._settings.disk_folder)
        except OSError as exc:
            raise DriverError(f"the file system of {self._settings.disk_folder} cannot be read: {exc}") from exc
        return disk.f_blocks * disk.f_frsize // _GIB, disk.f_bavail * disk.f_frsize // _GIB


def _refuse_foreign(connection: libvirt.virConnect, uuid: str) -> None:
    """Never replace somebody else's domain, even if it has the uuid of one of ours."""
    try:
        Guest.find(connection, uuid)
    except ForeignDomain as exc:
        raise DriverError(f"cannot define domain: {exc}") from exc
    except DomainNotFound:
        return
