"""Follows the stream of host changes. Whatever happens to Redis, the table converges again on what is."""

import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import redis

from contracts.presence import PRESENCE, SAY_SECONDS, presence_field
from contracts.scheduling import HOST_FEED
from scheduler.service.entries import read_entry
from scheduler.service.known_hosts import KnownHosts
from scheduler.service.settings import Settings

logger = logging.getLogger(__name__)

_BEGINNING = b"0-0"
_BLOCK_MS = 1000
_SILENCE_SECONDS = 10.0  # a connection that says nothing for so long although we block for 1 s is dead
_ENTRIES_AT_ONCE = 100
_PAUSE_SECONDS = 0.5
_LEAST_SECONDS_BETWEEN_QUESTIONS = 1.0


class HostFeed:
    """A thread that reads the stream and fills the table.

    It begins at the newest full entry of the stream; where there is none it asks the conductor for one, and goes on
    asking until it comes. The last entry read must still be in the stream with every reading: if it is gone, the
    stream was wiped or has overtaken us, changes may be missing, and it begins anew.
    """

    def __init__(self, settings: Settings, hosts: KnownHosts, ask: Callable[[], None]) -> None:
        """Make a feed that is not running yet.

        Args:
            settings: of the scheduler.
            hosts: the table to fill.
            ask: sends the conductor the request for a full entry; may raise, then it is called again later.
        """
        self._settings = settings
        self._hosts = hosts
        self._ask_conductor = ask
        self._client = redis.Redis.from_url(
            settings.redis_url, socket_timeout=_SILENCE_SECONDS, socket_connect_timeout=_SILENCE_SECONDS
        )
        self._last: bytes | None = None
        self._is_snapshot_due = True
        self._full_at = time.monotonic()
        self._asked_at = float("-inf")
        self._said_at = float("-inf")
        self._ask_lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="host-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow the stream."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following, within two seconds, and close the connection."""
        self._stopping.set()
        self._thread.join(timeout=2 * _BLOCK_MS / 1000)
        self._client.close()

    def ask(self, pause_seconds: float = _LEAST_SECONDS_BETWEEN_QUESTIONS) -> None:
        """Ask the conductor for all hosts, unless it was asked within the last `pause_seconds`. Never raises."""
        with self._ask_lock:
            now = time.monotonic()
            if now - self._asked_at < pause_seconds:
                return
            self._asked_at = now
        try:
            self._ask_conductor()
        except Exception:
            logger.exception("the conductor could not be asked for the hosts; asking again later")

    def _run(self) -> None:
        is_reachable = True
        while not self._stopping.is_set():
            try:
                self._step()
                is_reachable = True
            except redis.RedisError as exc:
                if is_reachable:
                    logger.warning("the host feed is interrupted: %s", exc)
                is_reachable = False
                self._stopping.wait(_PAUSE_SECONDS)
            except Exception:
                logger.exception("the host feed stumbled and goes on")
                self._stopping.wait(_PAUSE_SECONDS)

    def _step(self) -> None:
        """Read once; returns after a second at the latest."""
        self._say_present()
        if self._last is None:
            self._last = self._begin()
        if self._is_snapshot_due or time.monotonic() - self._full_at > self._settings.resync_seconds:
            self.ask(self._settings.ask_again_seconds)
        answer: Any = self._client.xread({HOST_FEED: self._last}, count=_ENTRIES_AT_ONCE, block=_BLOCK_MS)
        if not self._is_unbroken(self._last):
            logger.warning("the host feed was wiped or ran ahead; beginning anew")
            self._last = None
            self._is_snapshot_due = True
            self._asked_at = float("-inf")
            return
        for entry_id, fields in _entries(answer):
            self._apply(fields)
            self._last = entry_id

    def _say_present(self) -> None:
        """Let the conductor know, now and then, that a scheduler follows the feed on this machine."""
        if time.monotonic() - self._said_at < SAY_SECONDS:
            return
        seconds, _ = self._client.time()
        self._client.hset(PRESENCE, presence_field("nova-scheduler", socket.gethostname()), str(seconds))
        self._said_at = time.monotonic()

    def _begin(self) -> bytes:
        """Apply the newest full entry and return its id, or the stream's beginning where there is none."""
        end = b"+"
        while True:
            page: Any = self._client.xrevrange(HOST_FEED, max=end, count=_ENTRIES_AT_ONCE)
            for entry_id, fields in page:
                # An entry that says it is full and cannot be read is none to begin at.
                if fields.get(b"full") == b"1" and self._apply(fields):
                    return bytes(entry_id)
            if len(page) < _ENTRIES_AT_ONCE:
                return _BEGINNING
            end = b"(" + page[-1][0]

    def _is_unbroken(self, last: bytes) -> bool:
        """Say whether what was read last is still there. Ids never come back, so this proves that nothing is lost."""
        return last == _BEGINNING or bool(self._client.xrange(HOST_FEED, min=last, max=last, count=1))

    def _apply(self, fields: dict[bytes, bytes]) -> bool:
        """Take what an entry says; return whether it names all hosts that there are."""
        entry = read_entry(fields)
        self._hosts.apply(entry)
        if entry.is_full:
            self._is_snapshot_due = False
            self._full_at = time.monotonic()
        return entry.is_full


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the entries of an answer to XREAD, which is a list of pairs in RESP2 and a mapping in RESP3."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (found,) = answer.values()
        # RESP3 wraps the entries of a stream in one more list.
        return list(found[0]) if found and isinstance(found[0], list) else list(found)
    return list(answer[0][1])
