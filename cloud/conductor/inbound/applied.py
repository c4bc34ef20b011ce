"""Hosts' words that their networks are as they shall be: gathered, and written for all of them together.

A burst has a thousand hosts told, and each says when it is done: tasks of their own would take turns with builds.
What a conductor gathered and did not write when it died is asked for again, as is every word that was lost.
"""

import logging
import threading

import msgspec

from cloud.conductor.inbound.words import Word
from cloud.core.clock import DATABASE_AWAY
from cloud.networks.services import changes
from contracts.conductor import NOTE_NETWORKS
from contracts.networks import NetworksApplied

_log = logging.getLogger(__name__)
_LARGEST = 2**63 - 1  # what a column holds: nobody's word shall cost others theirs


class Applied:
    """The newest version that each host said it has, since they were last written. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: dict[str, int] = {}

    def take(self, word: Word) -> bool:
        """Take a host's word that it is done; False for any other word: the task judges what went wrong."""
        if word.task != NOTE_NETWORKS:
            return False
        try:
            outcome = NetworksApplied.from_wire(word.wire)
        except msgspec.ValidationError:
            return False
        if outcome.is_failure or not 0 <= outcome.version <= _LARGEST:
            return False
        with self._lock:
            self._versions[word.host] = max(outcome.version, self._versions.get(word.host, 0))
        return True

    def write(self) -> None:
        """Write what was gathered."""
        with self._lock:
            versions, self._versions = self._versions, {}
        try:
            if versions:
                changes.applied_by(versions)
        except DATABASE_AWAY as error:
            _log.warning("what %d hosts said of their networks is asked for again: %s", len(versions), error)


applied = Applied()
