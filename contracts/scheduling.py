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


class NearMiss(Message, frozen=True, kw_only=True):
    """Hosts that one rule keeps from being taken, among those that fail the fewest rules.

    Attributes:
        fails: how many rules each of them fails.
        hosts: how many they are.
        complaint: what keeps them, the end of a sentence '3 hosts ...'.
        nearest: names of some of them, those that lack the least first.
        short_by: what each of these lacks, in `unit`; empty where the rule is not one of size.
    """

    filter: str
    fails: int
    hosts: int
    complaint: str = ""
    nearest: list[str] = []
    short_by: list[int] = []
    unit: str = ""


class Room(Message, frozen=True, kw_only=True):
    """What is free at once on a host that satisfies every rule but those of size."""

    vcpus: int
    memory_mb: int
    disk_gb: int


class Selected(Message, frozen=True, kw_only=True):
    """The answer: for each operation, in order, its hosts, best first; an empty list where none was found.

    Attributes:
        trace: tells who removed whom, at the first choice, or at the one that found no host.
        first_trace: of the first choice, where others of the same answer found no host.
        nearest_miss: a sentence for operators on what would have fitted.
        near_misses, room: the same in numbers, where a server found no host; of all there is, a bounded part.
        weighers: the preferences that had a say.
        weights: for each of `hosts` what each of these gave it when the decision began.
    """

    hosts: list[list[str]]
    trace: list[FilterTrace] = []
    first_trace: list[FilterTrace] = []
    hosts_total: int = 0
    nearest_miss: str = ""
    near_misses: list[NearMiss] = []
    room: list[Room] = []
    weighers: list[str] = []
    weights: list[list[list[float]]] = []


class Taken(Message, frozen=True, kw_only=True):
    """What is thought to be gone of a host."""

    host: str
    vcpus: int
    memory_mb: int
    disk_gb: int


class Question(Message, frozen=True, kw_only=True):
    """Where `count` servers that share one spec would go."""

    spec: RequestSpec
    count: int = 1
    alternates: int = 2


# More in one message would keep the servers that are to be built waiting.
MOST_CONSIDERED = 50


class ConsiderDestinations(Message, frozen=True, kw_only=True):
    """Say where servers would go, if `taken` were taken. Nothing is promised to anybody.

    Each question takes what was chosen for the ones before it as taken too. All together ask for `MOST_CONSIDERED`
    servers at most.
    """

    NAME: ClassVar[str] = "scheduler.v1.consider_destinations"
    questions: list[Question]
    taken: list[Taken] = []
    request_id: str = ""


class Considered(Message, frozen=True, kw_only=True):
    """The answer: what would be selected, for each question."""

    answers: list[Selected]


# Redis stream with the changes of hosts: entries {"hosts": JSON list of HostState, "full": "1" for all there are}.
HOST_FEED = "novella.hosts"
HOST_FEED_LENGTH = 10_000
