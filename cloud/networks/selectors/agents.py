"""What carries networks out on each host. The domain above, which hears of hosts, says which there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class NetworkAgent:
    """An agent of a host. `is_alive`: heard of lately. `is_up`: operators let it work."""

    id: str
    host: str
    zone: str
    is_alive: bool
    is_up: bool
    last_seen_at: datetime | None
    started_at: datetime | None
    created_at: datetime


Source = Callable[[], Sequence[NetworkAgent]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Name who knows the hosts."""
    if source not in _sources:
        _sources.append(source)


def agents() -> list[NetworkAgent]:
    """Return the agents of all hosts."""
    return [one for source in _sources for one in source()]
