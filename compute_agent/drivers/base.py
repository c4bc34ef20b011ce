"""What a hypervisor driver promises. Verbs are `ensure`-like: done twice they do what doing once did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol


class PowerState(IntEnum):
    """Nova's power states."""

    NOSTATE = 0
    RUNNING = 1
    PAUSED = 3
    SHUTDOWN = 4
    CRASHED = 6
    SUSPENDED = 7


@dataclass(frozen=True)
class DiskSource:
    """A disk of a domain: an absolute path, its format (never probed) and what the guest sees."""

    path: str
    disk_format: str
    device: str = "disk"  # disk | cdrom
    bus: str = "virtio"
    serial: str = ""


@dataclass(frozen=True)
class Interface:
    """A network interface of a domain on a tap that exists already."""

    tap: str
    mac_address: str
    mtu: int = 1500
    model: str = "virtio"


@dataclass(frozen=True)
class DomainSpec:
    """A domain as a driver defines it: derived from the order alone, so that each start makes it anew.

    `owner` is written into the domain's metadata; domains without our mark are invisible to every verb.
    """

    uuid: str
    name: str
    vcpus: int
    memory_mb: int
    disks: tuple[DiskSource, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    console_log: str = ""
    extra_specs: dict[str, str] = field(default_factory=dict)
    image_properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inventory:
    """What a host has, before any ratio; see contracts.conductor.HostReport for the fields."""

    hypervisor_hostname: str
    hypervisor_type: str
    hypervisor_version: int
    vcpus: int
    memory_mb: int
    memory_mb_free: int
    disk_gb: int
    disk_gb_free: int
    architecture: str = "x86_64"
    cpu_model: str = ""
    cpu_vendor: str = ""
    cpu_sockets: int = 1
    cpu_cores: int = 1
    cpu_threads: int = 1
    cpu_features: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()


@dataclass(frozen=True)
class DomainFacts:
    """A domain as its hypervisor has it: the paths and the taps that its definition names, in its order."""

    name: str
    state: PowerState
    vcpus: int
    memory_mb: int
    disks: tuple[str, ...] = ()
    taps: tuple[str, ...] = ()


LifecycleListener = Callable[[str, PowerState], None]


class HypervisorDriver(Protocol):
    """One hypervisor. Every method may raise DriverError; none retries by itself."""

    def inventory(self) -> Inventory:
        """Return what the host has now."""

    def list_domains(self) -> dict[str, PowerState]:
        """Return the power state of each domain of ours, by instance uuid."""

    def power_state(self, uuid: str) -> PowerState:
        """Return a domain's power state.

        Raises:
            DomainNotFound: there is no such domain of ours.
        """

    def inspect(self, uuid: str) -> DomainFacts:
        """Return what the hypervisor knows of a domain. Raises DomainNotFound."""

    def define(self, spec: DomainSpec) -> None:
        """Make the domain's definition as given, replacing an older one; a running guest goes on undisturbed."""

    def start(self, uuid: str) -> None:
        """Make the domain run; a running one is left alone. Raises DomainNotFound."""

    def request_shutdown(self, uuid: str) -> None:
        """Press the power button. A domain that is off is left alone. Raises DomainNotFound."""

    def power_off(self, uuid: str) -> None:
        """Cut the power. A domain that is off is left alone. Raises DomainNotFound."""

    def undefine(self, uuid: str) -> None:
        """Cut the power and forget the domain. A missing one is a success."""

    def set_interfaces(self, uuid: str, interfaces: Sequence[Interface]) -> None:
        """Let a domain have these interfaces, by their taps, and no others: at once if it runs, and when it starts.

        A guest may keep an interface that shall go: that is a DriverError. Raises DomainNotFound.
        """

    def copy_root_disk(self, uuid: str, path: str) -> None:
        """Copy the first disk of a running domain, as it is at one moment, to a qcow2 file; the guest goes on.

        Raises DomainNotFound.
        """

    def subscribe(self, listener: LifecycleListener) -> None:
        """Call `listener` from another thread whenever a domain of ours changes its power state."""

    def close(self) -> None:
        """Let go of connections and threads. Guests run on."""
