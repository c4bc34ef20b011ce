"""The passwords of guests, as Nova's metadata service has them: a guest stores one, once, and may read it.

The control plane keeps it. What it answered is believed for some seconds, so that a guest that asks a thousand times
asks the control plane a few times a minute.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from compute_agent.network.metadata.answers import PASSWORD, has_password

log = logging.getLogger(__name__)

MOST_BYTES = 1020  # contracts.guests says it too, and loads more than this process otherwise needs
_FRESH_SECONDS = 15.0  # as long as Nova's believes what it knows
_AWAY_SECONDS = 2.0
_METHODS = ("GET", "HEAD", "POST")


class Kept(NamedTuple):
    """The password that there is, and whether it was not there before."""

    password: str
    is_new: bool


# Asks the control plane: (instance uuid, what to keep or nothing). Raises OSError where that does not answer.
Ask = Callable[[str, str], Kept]
Answer = tuple[int, bytes]


@dataclass(frozen=True)
class _Known:
    """What was answered; None where nobody did."""

    password: str | None
    until: float


class Passwords:
    """Answers for all guests of the host. Safe for threads."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._is_away = False

    def answer(self, method: str, body: bytes, instance_uuid: str) -> Answer:
        """Return the status and the content of an answer to a guest."""
        if method not in _METHODS:
            return 405, b""
        if method != "POST":
            found = self._present(instance_uuid)
            return (503, b"") if found is None else (200, found.encode())
        password = _text(body)
        return self._keep(instance_uuid, password) if password else (400, b"")

    def _present(self, instance_uuid: str) -> str | None:
        known = self._remembered(instance_uuid) or self._asked(instance_uuid, "")[0]
        return known.password

    def _keep(self, instance_uuid: str, password: str) -> Answer:
        known = self._remembered(instance_uuid)
        is_new = False
        if known is None or known.password == "":
            known, is_new = self._asked(instance_uuid, password)
        return (503 if known.password is None else 200 if is_new else 409), b""

    def _remembered(self, instance_uuid: str) -> _Known | None:
        with self._lock:
            known = self._known.get(instance_uuid)
        return known if known and known.until > self._clock() else None

    def _asked(self, instance_uuid: str, password: str) -> tuple[_Known, bool]:
        try:
            kept = self._ask(instance_uuid, password)
        except OSError as error:
            if not self._is_away:
                log.warning("instance=%s: nobody keeps guests' passwords now: %s", instance_uuid, error)
            self._is_away = True
            return self._remember(instance_uuid, None, _AWAY_SECONDS), False
        self._is_away = False
        return self._remember(instance_uuid, kept.password, _FRESH_SECONDS), kept.is_new

    def _remember(self, instance_uuid: str, password: str | None, seconds: float) -> _Known:
        now = self._clock()
        known = _Known(password, now + seconds)
        with self._lock:
            self._known = {uuid: one for uuid, one in self._known.items() if one.until > now}
            self._known[instance_uuid] = known
        return known


def is_password(path: str) -> bool:
    """Tell whether a path is that of the password."""
    parts = [part for part in path.split("?", 1)[0].split("/") if part]
    return len(parts) == 3 and parts[0] == "openstack" and parts[2] == PASSWORD and has_password(parts[1])


def _text(body: bytes) -> str:
    """Return what a guest posted; nothing for what is empty, too long or no text."""
    try:
        text = body.decode() if len(body) <= MOST_BYTES else ""
    except UnicodeDecodeError:
        return ""
    return "" if "\0" in text else text
