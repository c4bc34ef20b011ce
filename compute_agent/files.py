"""Small files that are whole or not there, and what a full disk is called."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compute_agent.errors import AgentError, HostDiskFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: OSError) -> bool:
    """Tell whether an error of the operating system means that there is no room."""
    return error.errno in _FULL


@contextmanager
def full_disk_told(what: str) -> Iterator[None]:
    """Raise HostDiskFull for an error of the operating system that says so, AgentError for any other."""
    try:
        yield
    except OSError as exc:
        if is_full(exc):
            raise HostDiskFull(f"no space left for {what}") from exc
        raise AgentError(f"{what}: {exc}") from exc


def replace_file(path: Path, content: bytes, *, is_lasting: bool = False) -> None:
    """Have the file with this content, as one step: a reader finds the old or the new, and so does who comes after us.

    Args:
        path: in a folder that exists.
        content: all of it.
        is_lasting: it must survive the machine's power cut too, which costs a wait for the disk.
    """
    draft = path.with_suffix(".new")
    try:
        with draft.open("wb") as stream:
            stream.write(content)
            if is_lasting:
                stream.flush()
                os.fdatasync(stream.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
