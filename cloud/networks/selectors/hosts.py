"""The hosts that may carry routers. The domain above, which hears of hosts, says which there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RouterHost:
    """A host that knows what a router is.

    `is_silent`: nothing was heard of it for so long that its routers are better off elsewhere, or a person said that it
    is down. `is_open`: operators let it take more.
    """

    name: str
    is_silent: bool
    is_open: bool


Source = Callable[[], Sequence[RouterHost]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Name who knows the hosts."""
    if source not in _sources:
        _sources.append(source)


def router_hosts() -> list[RouterHost]:
    """Return all hosts that know what a router is."""
    return [one for source in _sources for one in source()]
