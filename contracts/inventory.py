"""A copy of the live cloud as a document: what `manage.py simulate --what-if` hands to the simulator of its release."""

from contracts.envelope import Message
from contracts.scheduling import HostState, RequestSpec


class LiveHost(Message, frozen=True, kw_only=True):
    """A host: how the scheduler sees it, and the capacities in it without their ratios (what is reserved is off).

    Attributes:
        vcpus, memory_mb, disk_gb: before the ratios.
        vcpu_ratio, memory_ratio, disk_ratio: how often each may be promised.
    """

    state: HostState
    vcpus: int
    memory_mb: int
    disk_gb: int
    vcpu_ratio: float = 1.0
    memory_ratio: float = 1.0
    disk_ratio: float = 1.0


class LiveServer(Message, frozen=True, kw_only=True):
    """A server on its host. `group` names its server group, empty for none."""

    uuid: str
    name: str
    host: str
    spec: RequestSpec
    group: str = ""


class LiveFlavor(Message, frozen=True, kw_only=True):
    """A flavor and what it asks of a host."""

    name: str
    spec: RequestSpec


class LiveInventory(Message, frozen=True, kw_only=True):
    """All there is."""

    hosts: list[LiveHost]
    servers: list[LiveServer]
    flavors: list[LiveFlavor]
