"""What a compute agent can be told to do, and what it answers.

`COMMANDS` is the whole of it: the agent registers exactly these tasks, a test compares the two.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from contracts.envelope import Message, Order, Outcome
from contracts.inspection import InspectServer
from contracts.networks import SubnetSpec, SyncNetworks
from contracts.timeouts import BRISK, FAST, NORMAL, SLOW, URGENT, Timing


class ImageSpec(Message, frozen=True, kw_only=True):
    """An image as a host needs it.

    Attributes:
        id: uuid of the image; with `checksum` it is the name in the host's cache.
        url: where to fetch it over HTTP: signed, short-lived and bound to the host; no token travels.
        checksum: hex digest of the bytes, by `checksum_algorithm`.
        disk_format: `qcow2` or `raw`, from the database; never probed.
        size_bytes: length of the file.
        virtual_size_bytes: size of the disk that it describes.
    """

    id: str
    url: str
    checksum: str
    checksum_algorithm: str
    disk_format: str
    size_bytes: int
    virtual_size_bytes: int


class NetworkSpec(Message, frozen=True, kw_only=True):
    """A network as a host needs it."""

    id: str
    mtu: int = 1500
    subnets: list[SubnetSpec] = []


class FixedIpSpec(Message, frozen=True, kw_only=True):
    """An address of a port."""

    subnet_id: str
    ip_address: str


class PortSpec(Message, frozen=True, kw_only=True):
    """A virtual interface to plug. Its order in the list is its order in the guest.

    `dhcp_options`: what its guest is told by DHCP beside its addresses, by the option's name.
    """

    id: str
    mac_address: str
    network: NetworkSpec
    fixed_ips: list[FixedIpSpec] = []
    tag: str = ""
    dhcp_options: dict[str, str] = {}


class ServerSpec(Message, frozen=True, kw_only=True):
    """Everything a host needs to make an instance, so that it asks nobody.

    Attributes:
        name: the hypervisor's name of the domain, e.g. `instance-1a2b3c4d`; never a tenant's text.
        hostname: what the guest calls itself; already sanitised to a DNS label.
        disk_gb: size of the root disk; 0 means that of the image.
        user_data: base64, as the tenant sent it; empty for none.
        metadata: the `meta_data.json` document, served by the metadata service and put on a config drive.
        extra_specs: of the flavor. image_properties: of the image.
    """

    uuid: str
    name: str
    hostname: str
    project_id: str
    user_id: str
    vcpus: int
    memory_mb: int
    disk_gb: int
    ephemeral_gb: int = 0
    swap_mb: int = 0
    image: ImageSpec | None = None
    ports: list[PortSpec] = []
    config_drive: bool = False
    user_data: str = ""
    metadata: dict[str, Any] = {}
    extra_specs: dict[str, str] = {}
    image_properties: dict[str, str] = {}


class ImagePrepared(Outcome, frozen=True, kw_only=True):
    """The image lies in the host's cache, checked."""

    image_id: str = ""


class VifsPlugged(Outcome, frozen=True, kw_only=True):
    """The ports' taps, bridges, DHCP reservations and metadata are in place."""


class InterfacesSet(Outcome, frozen=True, kw_only=True):
    """The instance has exactly the interfaces that were ordered, plugged, and in its guest if that runs."""


class PowerChanged(Outcome, frozen=True, kw_only=True):
    """The domain is in this state now. `power_state` is Nova's number: 0, 1, 3, 4, 6 or 7."""

    power_state: int = 0


class ServerSpawned(PowerChanged, frozen=True, kw_only=True):
    """The domain runs."""


class DiskLink(Message, frozen=True, kw_only=True):
    """Where a disk of an instance travels through the control plane's store, on its way to another host.

    Attributes:
        name: of the file among those of the instance: `disk` or `disk.eph0`.
        url: signed, short-lived and bound to the host: PUT for the host that sends, GET for the one that receives.
        size_bytes, sha256: of the file that travels, for who receives it.
    """

    name: str
    url: str
    size_bytes: int = 0
    sha256: str = ""


class DiskSent(Message, frozen=True, kw_only=True):
    """A disk as it lies in the control plane's store: a qcow2 file of its own, without a backing file."""

    name: str
    size_bytes: int
    sha256: str


class DisksSent(Outcome, frozen=True, kw_only=True):
    """The disks lie in the control plane's store."""

    disks: list[DiskSent] = []


class DisksReceived(Outcome, frozen=True, kw_only=True):
    """The disks lie on the host, checked, and belong to nothing yet."""


class SnapshotSent(Outcome, frozen=True, kw_only=True):
    """A copy of the root disk is the data of an image. `size_bytes` is the length of its file."""

    size_bytes: int = 0


class ServerDestroyed(Outcome, frozen=True, kw_only=True):
    """Neither domain, disk, tap, lease, config drive nor metadata of the instance is left on the host."""


class ConsoleOutput(Outcome, frozen=True, kw_only=True):
    """The end of the console's log, as text with control characters other than tab and newline removed."""

    output: str = ""


class PrepareImage(Order, frozen=True, kw_only=True):
    """Fetch an image into the host's cache unless it is there."""

    NAME: ClassVar[str] = "compute.v1.prepare_image"
    OUTCOME: ClassVar[type[Outcome]] = ImagePrepared
    image: ImageSpec


class PlugVifs(Order, frozen=True, kw_only=True):
    """Make the ports' taps and what they need on the host. `is_exact`: any other port of the instance goes."""

    NAME: ClassVar[str] = "compute.v1.plug_vifs"
    OUTCOME: ClassVar[type[Outcome]] = VifsPlugged
    server: ServerSpec
    is_exact: bool = False


class SpawnServer(Order, frozen=True, kw_only=True):
    """Make the instance and start it. Does whatever PrepareImage and PlugVifs have not done yet."""

    NAME: ClassVar[str] = "compute.v1.spawn_server"
    OUTCOME: ClassVar[type[Outcome]] = ServerSpawned
    server: ServerSpec


class DestroyServer(Order, frozen=True, kw_only=True):
    """Remove the instance and all that was made for it on this host. A missing one is a success.

    `is_final`: the instance itself is deleted, so no order that comes later may make it again, not even one of an
    operation that the host has not heard of yet.
    """

    NAME: ClassVar[str] = "compute.v1.destroy_server"
    OUTCOME: ClassVar[type[Outcome]] = ServerDestroyed
    is_final: bool = False


class StopServer(Order, frozen=True, kw_only=True):
    """Press the power button, wait `graceful_seconds` for the guest, then cut the power."""

    NAME: ClassVar[str] = "compute.v1.stop_server"
    OUTCOME: ClassVar[type[Outcome]] = PowerChanged
    graceful_seconds: int = 60


class StartServer(Order, frozen=True, kw_only=True):
    """Start a stopped instance from a definition made anew from `server`."""

    NAME: ClassVar[str] = "compute.v1.start_server"
    OUTCOME: ClassVar[type[Outcome]] = PowerChanged
    server: ServerSpec


class RebootServer(Order, frozen=True, kw_only=True):
    """Reboot: `hard` cuts the power and starts from a definition made anew; soft asks the guest first."""

    NAME: ClassVar[str] = "compute.v1.reboot_server"
    OUTCOME: ClassVar[type[Outcome]] = PowerChanged
    server: ServerSpec
    hard: bool = False
    graceful_seconds: int = 60


class RebuildServer(Order, frozen=True, kw_only=True):
    """Make the instance's disks anew from `server.image`. `is_started`: it runs afterwards, else it is off.

    It waits for no image: PrepareImage comes first, which holds up no other order for the instance.
    """

    NAME: ClassVar[str] = "compute.v1.rebuild_server"
    OUTCOME: ClassVar[type[Outcome]] = PowerChanged
    server: ServerSpec
    is_started: bool = True


class SetAsideServer(Order, frozen=True, kw_only=True):
    """Have the guest off, its domain and taps gone, and its files set aside, so that another host can take over."""

    NAME: ClassVar[str] = "compute.v1.set_aside_server"
    OUTCOME: ClassVar[type[Outcome]] = PowerChanged
    graceful_seconds: int = 60


class SendDisks(Order, frozen=True, kw_only=True):
    """Send disks that were set aside, each as a qcow2 file that needs no other. They stay here as well."""

    NAME: ClassVar[str] = "compute.v1.send_disks"
    OUTCOME: ClassVar[type[Outcome]] = DisksSent
    disks: list[DiskLink]


class ReceiveDisks(Order, frozen=True, kw_only=True):
    """Fetch disks to where LandServer of the same operation finds them; nothing of the instance is touched."""

    NAME: ClassVar[str] = "compute.v1.receive_disks"
    OUTCOME: ClassVar[type[Outcome]] = DisksReceived
    disks: list[DiskLink]


class LandServer(Order, frozen=True, kw_only=True):
    """Make the instance from the disks that this operation received, grown to `server`'s sizes and never shrunk.

    `disk_names`: what must have been received. `is_started`: it runs afterwards, else it is off. No disk is made from
    the image: where one is missing the order fails.
    """

    NAME: ClassVar[str] = "compute.v1.land_server"
    OUTCOME: ClassVar[type[Outcome]] = PowerChanged
    server: ServerSpec
    disk_names: list[str] = []
    is_started: bool = True


class VacateServer(Order, frozen=True, kw_only=True):
    """Remove the instance as DestroyServer does, except for the files that were set aside: its way back."""

    NAME: ClassVar[str] = "compute.v1.vacate_server"
    OUTCOME: ClassVar[type[Outcome]] = ServerDestroyed


class TakeBackServer(Order, frozen=True, kw_only=True):
    """Put the files that were set aside in their place again and have the instance running, or off."""

    NAME: ClassVar[str] = "compute.v1.take_back_server"
    OUTCOME: ClassVar[type[Outcome]] = PowerChanged
    server: ServerSpec
    is_started: bool = True


class DropAside(Order, frozen=True, kw_only=True):
    """Remove the files that were set aside, and nothing else of the instance. None left is a success."""

    NAME: ClassVar[str] = "compute.v1.drop_aside"
    OUTCOME: ClassVar[type[Outcome]] = ServerDestroyed


class SetInterfaces(Order, frozen=True, kw_only=True):
    """Let the ports of `server` be the instance's interfaces, at once in a guest that runs; any other goes."""

    NAME: ClassVar[str] = "compute.v1.set_interfaces"
    OUTCOME: ClassVar[type[Outcome]] = InterfacesSet
    server: ServerSpec


class SnapshotServer(Order, frozen=True, kw_only=True):
    """Copy the root disk as it is at one moment, running guest or not, and send it as the data of an image.

    `upload_url`: signed, short-lived and bound to the host.
    """

    NAME: ClassVar[str] = "compute.v1.snapshot_server"
    OUTCOME: ClassVar[type[Outcome]] = SnapshotSent
    image_id: str
    upload_url: str


class GetConsoleOutput(Order, frozen=True, kw_only=True):
    """Read the end of the console's log. `length` in lines; -1 for all that is kept."""

    NAME: ClassVar[str] = "compute.v1.get_console_output"
    OUTCOME: ClassVar[type[Outcome]] = ConsoleOutput
    length: int = -1


@dataclass(frozen=True)
class Command:
    """A row of the agent's vocabulary: the order, its lane, its timing and the first release that knows it."""

    order: type[Order]
    timing: Timing
    is_slow_lane: bool = False
    since: int = 1

    @property
    def name(self) -> str:
        """The Celery task name."""
        return self.order.NAME


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(PrepareImage, SLOW, is_slow_lane=True),
        Command(PlugVifs, FAST),
        Command(SpawnServer, BRISK),
        Command(DestroyServer, BRISK),
        Command(StopServer, NORMAL),
        Command(StartServer, NORMAL),
        Command(RebootServer, NORMAL),
        Command(RebuildServer, NORMAL),
        Command(GetConsoleOutput, URGENT),
        Command(SetAsideServer, NORMAL, since=2),
        Command(SendDisks, SLOW, is_slow_lane=True, since=2),
        Command(ReceiveDisks, SLOW, is_slow_lane=True, since=2),
        Command(LandServer, BRISK, since=2),
        Command(VacateServer, BRISK, since=2),
        Command(TakeBackServer, NORMAL, since=2),
        Command(DropAside, BRISK, since=2),
        Command(SnapshotServer, SLOW, is_slow_lane=True, since=2),
        Command(SetInterfaces, NORMAL, since=2),
        Command(InspectServer, URGENT, since=2),
        Command(SyncNetworks, FAST, since=2),
    )
}

# An agent's call to itself through its own queue, by which it knows that it still hears; no order, touches nothing.
ECHO = "compute.v1.echo"
# The step of an order that no operation gave: it is the same order every time, under whichever operation's name.
REMOVE_RESIDUE = "remove_residue"
