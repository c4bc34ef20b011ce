"""Whose turn it is to write to a database that takes one writer at a time.

SQLite lets a writer that finds another at work sleep for up to a tenth of a second before it looks again, and nobody
writes meanwhile. Here it looks again soon. The lock is the kernel's: it ends with the process that holds it.
"""

import fcntl
import os
import time
from pathlib import Path

_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.0002, 0.002


class Turn:
    """One writer's claim to the next turn. Not for several threads.

    Args:
        path: the file that all writers lock.
        timeout_seconds: how long a turn is waited for.
    """

    def __init__(self, path: Path, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """Wait for the turn; tell whether it came in time."""
        until, pause = time.monotonic() + self._timeout_seconds, _SHORTEST_SECONDS
        while not self._is_taken():
            if time.monotonic() > until:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_SECONDS)
        return True

    def give_back(self) -> None:
        """Let another write. Nothing to give back is a success."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give back the turn and the file."""
        os.close(self._file)

    def _is_taken(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
