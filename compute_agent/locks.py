"""One order per instance at a time, whichever thread or process of the host carries it out."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from compute_agent.errors import DeadlineExceeded
from compute_agent.files import full_disk_told

_FIRST_WAIT_SECONDS = 0.01
_LONGEST_WAIT_SECONDS = 0.25


class InstanceLocks(Protocol):
    """Locks by instance uuid."""

    def hold(self, uuid: str, wait_seconds: float) -> AbstractContextManager[None]:
        """Hold the instance's lock, or raise DeadlineExceeded when it is not free within `wait_seconds`."""


class MemoryLocks:
    """Locks of one process; a lock that nobody holds or waits for takes no memory."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, uuid: str, wait_seconds: float) -> Iterator[None]:
        """See InstanceLocks."""
        lock = self._register(uuid, 1)
        try:
            if not lock.acquire(timeout=max(wait_seconds, 0)):
                raise _busy(uuid, wait_seconds)
            try:
                yield
            finally:
                lock.release()
        finally:
            self._register(uuid, -1)

    def _register(self, uuid: str, change: int) -> threading.Lock:
        with self._guard:
            lock, users = self._locks.get(uuid, (threading.Lock(), 0))
            if users + change:
                self._locks[uuid] = (lock, users + change)
            else:
                del self._locks[uuid]
            return lock


class FileLocks:
    """Locks between the processes of a host: one file each, gone when nobody holds it.

    The kernel lets go of a lock when its process dies, so a killed agent leaves nothing locked.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def hold(self, uuid: str, wait_seconds: float) -> Iterator[None]:
        """See InstanceLocks."""
        path = self._folder / f"{uuid}.lock"
        descriptor = _acquire(path, uuid, wait_seconds)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _acquire(path: Path, uuid: str, wait_seconds: float) -> int:
    give_up_at = time.monotonic() + max(wait_seconds, 0)
    pause = _FIRST_WAIT_SECONDS
    while True:
        descriptor = _try(path)
        if descriptor is not None:
            return descriptor
        if time.monotonic() >= give_up_at:
            raise _busy(uuid, wait_seconds)
        time.sleep(min(pause, max(give_up_at - time.monotonic(), 0)))
        pause = min(pause * 2, _LONGEST_WAIT_SECONDS)


def _try(path: Path) -> int | None:
    with full_disk_told(f"the lock {path.name}"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The last holder removed its file: a lock on a file that has no name any more excludes nobody.
        if path.stat().st_ino == os.fstat(descriptor).st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _busy(uuid: str, wait_seconds: float) -> DeadlineExceeded:
    return DeadlineExceeded(f"another order held instance {uuid} for the {wait_seconds:.0f} s that this one had")
