"""An agent that is killed at a chosen moment: before or after the n-th of all the things that it does."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

Door = TypeVar("Door")


class Killed(BaseException):
    """The process is gone. No handler of the agent catches it, as none runs after `kill -9`."""


class Tripwire:
    """Counts what goes through its doors, and strikes before or after the chosen one.

    Args:
        at: the number of the call, from 1; 0 never strikes.
        is_after: strike when the call is done, not when it begins.
        strike: what ends the process.
    """

    def __init__(self, at: int = 0, *, is_after: bool = False, strike: Callable[[], None] | None = None) -> None:
        self.calls: list[str] = []
        self._at = at
        self._is_after = is_after
        self._strike = strike or _raise

    def around(self, door: Door, only: Collection[str] = ()) -> Door:
        """Return the same thing with each of its methods, or `only` some, watched."""
        watched: Any = _Watched(door, self, only)
        return watched

    def pass_through(self, name: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls.append(name)
        is_here = len(self.calls) == self._at
        if is_here and not self._is_after:
            self._strike()
        try:
            return call(*args, **kwargs)
        finally:
            if is_here:
                self._strike()


class _Watched:
    def __init__(self, door: Any, wire: Tripwire, only: Collection[str]) -> None:
        self._door, self._wire, self._only = door, wire, only

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._door, name)
        if not callable(value) or (self._only and name not in self._only):
            return value
        return lambda *args, **kwargs: self._wire.pass_through(name, value, *args, **kwargs)


def _raise() -> None:
    raise Killed
