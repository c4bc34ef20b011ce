"""The values that conductor and scheduler share: what is wanted, what there is, what was chosen and why."""

from typing import ClassVar

from contracts.envelope import Message

# What else a host may be to satisfy a word of an image. Hosts say QEMU whether or not KVM speeds it up.
_SATISFIED_BY: dict[str, tuple[str, ...]] = {
    "amd64": ("x86_64",),
    "i386": ("i686", "x86_64"),
    "i686": ("i686", "x86_64"),
    "arm64": ("aarch64",),
    "armv7l": ("armv7l", "aarch64"),
    "kvm": ("kvm", "qemu"),
    "qemu": ("qemu", "kvm"),
}


def satisfying(word: str) -> tuple[str, ...]:
    """Return the words of a host, in lower case, that satisfy an image's architecture, hypervisor type or VM mode."""
    return _SATISFIED_BY.get(word.lower(), (word.lower(),))


class HostState(Message, frozen=True, kw_only=True):
    """A host as the scheduler sees it.

    Capacities are what may be promised: (total - reserved) * allocation ratio. `generation` grows with every
    change; an older state never replaces a newer one. `is_sound`: the host says nothing that keeps new servers away.
    """

    host: str
    generation: int
    is_enabled: bool = True
    is_up: bool = True
    availability_zone: str = "nova"
    vcpus: int = 0
    vcpus_used: int = 0
    memory_mb: int = 0
    memory_mb_used: int = 0
    disk_gb: int = 0
    disk_gb_used: int = 0
    architecture: str = "x86_64"
    hypervisor_type: str = "QEMU"
    vm_mode: str = "hvm"
    traits: list[str] = []
    aggregate_ids: list[int] = []
    is_sound: bool = True


class RequestSpec(Message, frozen=True, kw_only=True):
    """What a server needs of its host.

    Attributes:
        availability_zone: empty for any.
        group_policy: '', 'affinity', 'anti-affinity', 'soft-affinity' or 'soft-anti-affinity'.
        group_hosts: hosts of the group's living members, one entry for each member.
        max_per_host: anti-affinity's rule `max_server_per_host`.
        image_properties: `architecture`, `hypervisor_type` and `vm_mode` where the image names them.
        required_traits: traits that the host must have.
        requested_host: the only host allowed; empty for any.
        ignore_hosts: hosts tried before. same_hosts, different_hosts: of the scheduler hints, as host names.
    """

    vcpus: int
    memory_mb: int
    disk_gb: int
    availability_zone: str = ""
    group_policy: str = ""
    group_hosts: list[str] = []
    max_per_host: int = 1
    image_properties: dict[str, str] = {}
    required_traits: list[str] = []
    requested_host: str = ""
    ignore_hosts: list[str] = []
    same_hosts: list[str] = []
    different_hosts: list[str] = []


class SelectDestinations(Message, frozen=True, kw_only=True):
    """Choose a host, and alternates, for each of `operation_ids`; all share one spec and one decision."""

    NAME: ClassVar[str] = "scheduler.v1.select_destinations"
    operation_ids: list[str]
    spec: RequestSpec
    attempt: int
    alternates: int = 2
    request_id: str = ""


class FilterTrace(Message, frozen=True, kw_only=True):
    """How many hosts a filter was given and how many it let through."""

    filter: str
    hosts_in: int
    hosts_out: int


class Selected(Message, frozen=True, kw_only=True):
    """The answer: for each operation, in order, its hosts, best first; an empty list where none was found.

    `trace` tells who removed whom; `nearest_miss` is a sentence for operators on what would have fitted.
    """

    hosts: list[list[str]]
    trace: list[FilterTrace] = []
    hosts_total: int = 0
    nearest_miss: str = ""


# Redis stream with the changes of hosts: entries {"hosts": JSON list of HostState, "full": "1" for all there are}.
HOST_FEED = "novella.hosts"
HOST_FEED_LENGTH = 10_000
