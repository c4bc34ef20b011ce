"""The memory that keeps late, repeated and reordered orders from doing harm.

For each instance a host remembers its last operations: the highest attempt seen, what each step answered, and
whether the instance was destroyed since. So a repeated order gets the first answer again (a reboot happens once), an
older attempt is refused, and a spawn that arrives after the instance was destroyed does not bring it back.
"""

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from compute_agent.errors import HostDiskFull, OrderRefused
from compute_agent.files import full_disk_told, replace_file
from compute_agent.tries import Beginning, Tries, count_try, key_of
from contracts.compute import COMMANDS, DestroyServer, DropAside, TakeBackServer, VacateServer
from contracts.envelope import Order

log = logging.getLogger(__name__)

_OPERATIONS_KEPT = 16
_RESERVE_BYTES = 64 * 1024
_KEPT_SECONDS = 24 * 3600.0
_FOR_GOOD = sys.maxsize
# What earlier operations of the instance wanted of this host is void once one of these is done. An operation that
# vacates a host may take the instance back there.
_LAST_WORDS = (DestroyServer, VacateServer, TakeBackServer)
_MAKES_ROOM = (DestroyServer, VacateServer, DropAside)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Seen(msgspec.Struct):
    """What a host knows of one operation: orders with an attempt below `floor` are refused."""

    floor: int
    attempt: int
    answers: dict[str, dict[str, Any]] = {}


class Record(msgspec.Struct):
    """What a host knows of one instance: its operations by id, the latest last, and whether it was deleted for good.

    `begun_at`: when the latest operation of them all began.
    `forgot_until`: the record was lost and nobody knows which of the orders sent before that time were carried out.
    `tries`: what began and did not end yet, by the same keys as answers.
    """

    operations: dict[str, Seen] = {}
    is_deleted: bool = False
    begun_at: float = 0.0
    forgot_until: float = 0.0
    tries: dict[str, Tries] = {}


class FenceStore(Protocol):
    """Where records are kept. Only the holder of an instance's lock reads and writes its record."""

    def load(self, uuid: str) -> Record:
        """Return the record of an instance, an empty one for a stranger."""

    def save(self, uuid: str, record: Record) -> None:
        """Keep the record."""

    def drop(self, uuid: str) -> None:
        """Forget a record; none is a success."""

    def make_room(self) -> None:
        """Give up what is kept back for the day when the disk is full."""

    def prune(self) -> None:
        """Forget instances that no order has touched for a day: all their orders are past `not_after`."""


class MemoryFences:
    """Records of one process, for fake hosts."""

    def __init__(self) -> None:
        self._records: dict[str, tuple[float, bytes]] = {}

    def load(self, uuid: str) -> Record:
        """See FenceStore."""
        kept = self._records.get(uuid)
        return msgspec.msgpack.decode(kept[1], type=Record) if kept else Record()

    def save(self, uuid: str, record: Record) -> None:
        """See FenceStore."""
        self._records[uuid] = (time.time(), msgspec.msgpack.encode(record))

    def drop(self, uuid: str) -> None:
        """See FenceStore."""
        self._records.pop(uuid, None)

    def make_room(self) -> None:
        """See FenceStore."""

    def prune(self) -> None:
        """See FenceStore."""
        oldest = time.time() - _KEPT_SECONDS
        for uuid, (saved_at, _) in list(self._records.items()):
            if saved_at < oldest:
                del self._records[uuid]


class FileFences:
    """Records in one small file per instance, replaced whole, shared by the host's processes.

    Args:
        folder: where they lie.
        clock: the time that orders are judged by.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._reserve = folder / ".reserve"
        folder.mkdir(parents=True, exist_ok=True)
        self._keep_reserve()

    def load(self, uuid: str) -> Record:
        """See FenceStore."""
        path = self._path(uuid)
        try:
            return msgspec.json.decode(path.read_bytes(), type=Record)
        except FileNotFoundError:
            return Record()
        except msgspec.DecodeError as exc:
            log.critical("the record of instance %s is broken, orders from before are refused: %s", uuid, exc)
            age = time.time() - path.stat().st_mtime
            return Record(forgot_until=self._clock() - age)

    def save(self, uuid: str, record: Record) -> None:
        """See FenceStore."""
        with full_disk_told(f"the record of instance {uuid}"):
            replace_file(self._path(uuid), msgspec.json.encode(record), is_lasting=True)

    def drop(self, uuid: str) -> None:
        """See FenceStore."""
        self._path(uuid).unlink(missing_ok=True)

    def make_room(self) -> None:
        """See FenceStore."""
        self._reserve.unlink(missing_ok=True)

    def prune(self) -> None:
        """See FenceStore."""
        oldest = time.time() - _KEPT_SECONDS
        for path in self._folder.iterdir():
            if path.stat().st_mtime < oldest and path != self._reserve:
                path.unlink(missing_ok=True)
        self._keep_reserve()

    def _keep_reserve(self) -> None:
        try:
            with self._reserve.open("ab") as stream:
                os.posix_fallocate(stream.fileno(), 0, _RESERVE_BYTES)
        except OSError as exc:
            log.warning("nothing can be kept back for a full disk: %s", exc)

    def _path(self, uuid: str) -> Path:
        return self._folder / f"{uuid}.json"


def check_address(order: Order, host: str, now: float, *, is_of_instance: bool = True) -> None:
    """Refuse an order that is for another host, came too late, or names no instance or operation.

    `is_of_instance`: without it the order is the host's own and must name none.

    Raises:
        OrderRefused
    """
    if not is_of_instance and order.instance_uuid:
        raise OrderRefused("an order of the host itself names an instance")
    for name in ("instance_uuid", "operation_id")[not is_of_instance :]:  # they become names of files
        if not _UUID.fullmatch(getattr(order, name)):
            raise OrderRefused(f"{name} is not a uuid in canonical form")
    if order.host != host:
        raise OrderRefused(f"the order is for host {order.host!r}, not for {host!r}")
    if now > order.not_after:
        raise OrderRefused(f"the order came {now - order.not_after:.1f} s after its deadline")


def admit(order: Order, store: FenceStore, beginning: Beginning | None = None) -> dict[str, Any] | None:
    """Let an order pass, or return the answer that it got the first time. The instance's lock must be held.

    Args:
        order: the order.
        store: of its host.
        beginning: the try that is counted until `remember` or `let_go`; without it none is.

    Raises:
        OrderRefused: a newer attempt was seen, or the instance was destroyed since, or nobody knows whether it was.
        Poison: too many processes began the order and died.
        HostDiskFull: there is no room for the record.
    """
    record = store.load(order.instance_uuid)
    if record.is_deleted and order.NAME != DestroyServer.NAME:
        raise OrderRefused("the instance was deleted")
    seen = record.operations.get(order.operation_id)
    if seen and order.attempt == seen.attempt and key_of(order) in seen.answers:
        return seen.answers[key_of(order)]
    _refuse_the_past(order, record, seen)
    is_news = beginning is not None and count_try(order, record.tries, beginning)
    if seen is None or order.attempt > seen.attempt:
        floor = max(order.attempt, seen.floor if seen else 0)
        record.operations.pop(order.operation_id, None)
        record.operations[order.operation_id] = Seen(floor=floor, attempt=order.attempt)
        record.begun_at = max(record.begun_at, order.begun_at)
        _forget_oldest(record)
        is_news = True
    if is_news:
        _save(order, record, store)
    return None


def _refuse_the_past(order: Order, record: Record, seen: Seen | None) -> None:
    """Refuse what a newer attempt or operation has taken the place of. The last destroy is never too late."""
    if seen and order.attempt < seen.attempt:
        raise OrderRefused(f"attempt {order.attempt} is older than attempt {seen.attempt}, seen before")
    if 0 < order.begun_at < record.begun_at and not _is_last(order):
        raise OrderRefused("a later operation of the instance was seen before")
    if order.NAME == DestroyServer.NAME:
        return
    if seen and order.attempt < seen.floor:
        raise OrderRefused("the instance was destroyed on this host since the operation began")
    if _sent_at(order) < record.forgot_until:
        raise OrderRefused("the host lost its record of the instance after this was sent")


def _is_last(order: Order) -> bool:
    return isinstance(order, DestroyServer) and order.is_final


def _sent_at(order: Order) -> float:
    """Return when the order was sent, as far as its deadline tells; not earlier."""
    return order.not_after - COMMANDS[order.NAME].timing.deadline_seconds


def _save(order: Order, record: Record, store: FenceStore) -> None:
    """Save a record; what removes something from a full disk may use what is kept back for that."""
    try:
        store.save(order.instance_uuid, record)
    except HostDiskFull:
        if not isinstance(order, _MAKES_ROOM):
            raise
        store.make_room()
        store.save(order.instance_uuid, record)


def remember(order: Order, answer: dict[str, Any], store: FenceStore) -> None:
    """Note that an admitted order succeeded with this answer. The instance's lock must still be held."""
    record = store.load(order.instance_uuid)
    seen = record.operations.setdefault(order.operation_id, Seen(floor=order.attempt, attempt=order.attempt))
    if isinstance(order, _LAST_WORDS):
        for other in record.operations.values():
            if other is not seen or isinstance(order, DestroyServer):
                other.floor = _FOR_GOOD
                other.answers = {}
    if isinstance(order, DestroyServer):
        record.is_deleted |= order.is_final
        seen.floor = order.attempt + 1
        record.tries = {}
    record.tries.pop(key_of(order), None)
    seen.answers = {**seen.answers, key_of(order): answer}
    _save(order, record, store)


def let_go(order: Order, store: FenceStore) -> None:
    """Note that an admitted order failed: whoever began it lived to say so. The instance's lock must still be held."""
    record = store.load(order.instance_uuid)
    if record.tries.pop(key_of(order), None) is None:
        return
    try:
        _save(order, record, store)
    except HostDiskFull as exc:  # the order's own failure is told; this process is counted once, dead or not
        log.warning("that order %s failed could not be recorded: %s", order.NAME, exc)


def forget_answer(order: Order, store: FenceStore) -> None:
    """Let an admitted order be carried out again when it comes again. The instance's lock must be held."""
    record = store.load(order.instance_uuid)
    seen = record.operations.get(order.operation_id)
    if seen and seen.attempt == order.attempt and seen.answers.pop(key_of(order), None) is not None:
        store.save(order.instance_uuid, record)


@contextmanager
def counted_beside(order: Order, store: FenceStore, beginning: Beginning) -> Iterator[None]:
    """Count the try of an order that holds no lock, in a record of its operation's own.

    Raises:
        Poison: too many processes began the order and died.
        HostDiskFull: there is no room for the record.
    """
    uuid = order.operation_id
    record = store.load(uuid)
    if count_try(order, record.tries, beginning):
        store.save(uuid, record)
    try:
        yield
    except Exception:
        store.drop(uuid)
        raise
    store.drop(uuid)


def _forget_oldest(record: Record) -> None:
    for operation_id in list(record.operations)[:-_OPERATIONS_KEPT]:
        del record.operations[operation_id]
