"""The gate of the inbound queue: who said it, whether that is proven, and whether that host has not said too much."""

import logging
import time
from typing import Any

from django.conf import settings

from cloud.compute.services.keyring import Keyring, keyring
from cloud.conductor.inbound.messages import task_message
from cloud.conductor.inbound.words import Refused, read

_log = logging.getLogger(__name__)
_LINES_A_SECOND = 5


class Gate:
    """Lets messages in, one at a time; what is refused leaves a line in the log, but never more than a few a second."""

    def __init__(self, keys: Keyring) -> None:
        self._keys = keys
        self._lines = _Lines()

    def admit(self, raw: bytes) -> dict[str, Any] | None:
        """Return the message that the worker gets, or None for one that is dropped."""
        try:
            word = read(raw, self._keys, accepts_unsigned=settings.ACCEPT_UNSIGNED)
            return task_message(word)
        except Refused as refusal:
            self._lines.write(f"refused a message of {refusal.host or 'an unknown sender'}: {refusal}")
            return None


class _Lines:
    """Log lines that cannot flood a log: those beyond the bound are counted."""

    def __init__(self) -> None:
        self._second = 0
        self._written = 0
        self._swallowed = 0

    def write(self, text: str) -> None:
        second = int(time.monotonic())
        if second != self._second:
            if self._swallowed:
                _log.warning("refused %d messages more", self._swallowed)
            self._second, self._written, self._swallowed = second, 0, 0
        if self._written < _LINES_A_SECOND:
            self._written += 1
            _log.warning("%s", text)
        else:
            self._swallowed += 1


gate = Gate(keyring)
