"""What a simulation asks the claims of the control plane of its release: a JSON document a line, each answered."""

from contracts.envelope import Message
from contracts.scheduling import HostState


class FakeHosts(Message, frozen=True, kw_only=True):
    """Let there be so many hosts of this size, after what is reserved and before ratios, and nobody on them."""

    count: int
    vcpus: int
    memory_mb: int
    disk_gb: int


class Wanted(Message, frozen=True, kw_only=True):
    """A server for the first of these hosts that has room."""

    consumer: str
    hosts: list[str]
    vcpus: int
    memory_mb: int
    disk_gb: int


class Round(Message, frozen=True, kw_only=True):
    """What happened since the last one: servers that went, and servers that schedulers chose hosts for side by side."""

    released: list[str]
    wanted: list[Wanted]


class Settled(Message, frozen=True, kw_only=True):
    """Who got which host, how many claims were refused, and how the hosts concerned stand now.

    `overcommitted`: hosts that hold more than they may, by the books of the database.
    """

    placed: dict[str, str] = {}
    refusals: int = 0
    hosts: list[HostState] = []
    overcommitted: int = 0
