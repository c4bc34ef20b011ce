"""What a look at one part of a server came to."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a part is: `unknown` and `busy` are no findings, but no all-clear either."""

    OK = "ok"
    WRONG = "wrong"
    BUSY = "busy"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One line: what should be, what is, and the command that makes it so; empty where nothing is to be done."""

    part: str
    expected: str
    found: str
    verdict: Verdict = Verdict.OK
    command: str = ""


def while_busy(is_busy: bool, checks: list[Check]) -> list[Check]:  # noqa: FBT001  read beside what it decides on
    """Return the lines; what an operation is about to change is not judged."""
    if not is_busy:
        return checks
    return [
        Check(one.part, one.expected, one.found, Verdict.BUSY) if one.verdict == Verdict.WRONG else one
        for one in checks
    ]


def judged(part: str, expected: str, found: str, command: str) -> Check:
    """Return the line of two texts that should be the same."""
    is_same = expected == found
    return Check(part, expected, found, Verdict.OK if is_same else Verdict.WRONG, "" if is_same else command)


def mend(uuid: str, what: str, host: str = "") -> str:
    """Return the command that carries out a mending."""
    return f"manage.py server_mend {uuid} {what}{f' --host {host}' if host else ''}"
