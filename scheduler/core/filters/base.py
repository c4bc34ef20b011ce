"""What every filter promises."""

from enum import Enum
from typing import ClassVar, Protocol, runtime_checkable

from contracts.scheduling import RequestSpec
from scheduler.core.columns import Columns, Mask, Numbers


class AfterPick(Enum):
    """Whose verdict may change when a server of the same request is placed on a host."""

    NOBODY = "nobody"
    THAT_HOST = "that host"
    EVERYBODY = "everybody"


class Filter(Protocol):
    """A rule that a host satisfies or not. It judges every host, whatever other filters say of it."""

    name: ClassVar[str]
    after_pick: ClassVar[AfterPick]

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who satisfies the rule, or None when the request does not ask for it, and everybody does."""
        ...

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what keeps the `failed` hosts, at least one, from being taken: the end of a sentence '3 hosts ...'."""
        ...


@runtime_checkable
class OfSize(Protocol):
    """A rule about an amount of which a host has some free."""

    unit: ClassVar[str]

    def shortage(self, hosts: Columns, request: RequestSpec) -> Numbers:
        """Return how much each host lacks; 0 or less where it satisfies the rule."""
        ...
