"""The text that a guest wrote to its serial console, as far as it is kept and fit to be shown."""

import os
import re
from pathlib import Path

READ_BYTES = 100 * 1024
"""How much of a log's end is ever shown; Nova shows as much."""

KEEP_BYTES = 4 * 1024 * 1024
"""A longer log is cut to its last `READ_BYTES`."""

_ESCAPE_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def read_tail(path: Path, lines: int) -> str:
    """Return the last lines of a log, or with -1 all that is shown. No log is an empty one."""
    return last_lines(printable(_tail_bytes(path, READ_BYTES).decode(errors="replace")), lines)


def last_lines(text: str, lines: int) -> str:
    """Return the last lines as Nova counts them: what follows the last newline is a line, even if it is empty."""
    if lines < 0:
        return text
    return "\n".join(text.split("\n")[-lines:]) if lines else ""


def printable(text: str) -> str:
    """Remove terminal sequences and every control character but tab and newline."""
    return _CONTROL_CHARACTERS.sub("", _ESCAPE_SEQUENCES.sub("", text))


def trim(path: Path) -> None:
    """Cut a log that grew too long; QEMU appends, so it goes on at the new end."""
    if path.exists() and path.stat().st_size > KEEP_BYTES:
        kept = _tail_bytes(path, READ_BYTES)
        with path.open("r+b") as stream:
            stream.write(kept)
            stream.truncate()


def _tail_bytes(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - count))
            return stream.read(count)
    except FileNotFoundError:
        return b""
