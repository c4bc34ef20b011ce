"""Celery's result backend for a sender who almost never waits for a result."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from celery.backends.redis import RedisBackend

_waits: ContextVar[bool] = ContextVar("waits", default=False)


@contextmanager
def waiting() -> Iterator[None]:
    """Let results be followed that are asked for within the context."""
    token = _waits.set(True)
    try:
        yield
    finally:
        _waits.reset(token)


class Backend(RedisBackend):
    """Celery's own, but nobody follows the members of a chord only because he sent it.

    Celery does, for each of them with an object and a subscription that last as long as the process.
    """

    def add_pending_result(self, result: Any, *args: Any, **options: Any) -> Any:
        """See Celery."""
        return super().add_pending_result(result, *args, **options) if _waits.get() else result
