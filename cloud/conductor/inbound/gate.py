"""The gate of the inbound queue: who said it, whether that is proven, and whether that host has not said too much."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.conf import settings

from cloud.compute.services.keyring import Keyring, keyring
from cloud.conductor.inbound.applied import applied
from cloud.conductor.inbound.limits import Limits
from cloud.conductor.inbound.messages import task_message
from cloud.conductor.inbound.reports import reports
from cloud.conductor.inbound.words import Refused, Word, read

_log = logging.getLogger(__name__)
_LINES_A_SECOND = 5


class Gate:
    """Lets messages in, one at a time; what is refused leaves a line in the log, but never more than a few a second.

    Attributes:
        proven: how many words each credential has said, since somebody asked.
        refused: how many messages were not let in. unproven: of them, those that nobody can be blamed for.
        flooding: hosts that said far too much.
    """

    def __init__(self, keys: Keyring, take: Callable[[Word], bool] = lambda word: False) -> None:
        """Make a gate.

        Args:
            keys: of the hosts.
            take: takes a word that needs no task, and tells whether it was one.
        """
        self._keys = keys
        self._take = take
        self._limits = Limits()
        self._lines = _Lines()
        self.proven: Counter[str] = Counter()
        self.refused = 0
        self.unproven = 0
        self.flooding: set[str] = set()

    def admit(self, raw: bytes) -> dict[str, Any] | None:
        """Return the message that the worker gets, or None for one that is dropped, or that ends here."""
        try:
            word = self.read(raw)
            self._count(word)
            return None if self._take(word) else task_message(word)
        except Refused as refusal:
            self.refused += 1
            self.unproven += not refusal.host
            self._lines.write(f"refused a message of {refusal.host or 'an unknown sender'}: {refusal}")
            return None

    def read(self, raw: bytes) -> Word:
        """Return the word that a message holds. Raises Refused."""
        return read(raw, self._keys, accepts_unsigned=settings.ACCEPT_UNSIGNED)

    def credential_of(self, host: str) -> str:
        """Return the name of a host's credential; empty for a host that has none."""
        known = self._keys.find(host)
        return known.name if known else ""

    def _count(self, word: Word) -> None:
        self.proven[self.credential_of(word.host)] += 1
        if not self._limits.admits(word):
            if self._limits.is_flooding(word.host):
                self.flooding.add(word.host)
            raise Refused(f"it has said too much of late, {word.task} among it", word.host)


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


gate = Gate(keyring, lambda word: reports.take(word) or applied.take(word))
