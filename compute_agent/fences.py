"""The memory that keeps late, repeated and reordered orders from doing harm.

For each instance a host remembers its last operations: the highest attempt seen, what each step answered, and
whether the instance was destroyed since. So a repeated order gets the first answer again (a reboot happens once), an
older attempt is refused, and a spawn that arrives after the instance was destroyed does not bring it back.
"""

import re
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import msgspec

from compute_agent.errors import OrderRefused
from contracts.compute import DestroyServer, TakeBackServer, VacateServer
from contracts.envelope import Order

_OPERATIONS_KEPT = 16
_KEPT_SECONDS = 24 * 3600.0
_FOR_GOOD = sys.maxsize
# What earlier operations of the instance wanted of this host is void once one of these is done. An operation that
# vacates a host may take the instance back there.
_LAST_WORDS = (DestroyServer, VacateServer, TakeBackServer)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Seen(msgspec.Struct):
    """What a host knows of one operation: orders with an attempt below `floor` are refused."""

    floor: int
    attempt: int
    answers: dict[str, dict[str, Any]] = {}


class Record(msgspec.Struct):
    """What a host knows of one instance: its operations by id, the latest last, and whether it was deleted for good."""

    operations: dict[str, Seen] = {}
    is_deleted: bool = False


class FenceStore(Protocol):
    """Where records are kept. Only the holder of an instance's lock reads and writes its record."""

    def load(self, uuid: str) -> Record:
        """Return the record of an instance, an empty one for a stranger."""

    def save(self, uuid: str, record: Record) -> None:
        """Keep the record."""

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

    def prune(self) -> None:
        """See FenceStore."""
        oldest = time.time() - _KEPT_SECONDS
        for uuid, (saved_at, _) in list(self._records.items()):
            if saved_at < oldest:
                del self._records[uuid]


class FileFences:
    """Records in one small file per instance, replaced whole, shared by the host's processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def load(self, uuid: str) -> Record:
        """See FenceStore."""
        try:
            return msgspec.json.decode(self._path(uuid).read_bytes(), type=Record)
        except FileNotFoundError:
            return Record()

    def save(self, uuid: str, record: Record) -> None:
        """See FenceStore."""
        path = self._path(uuid)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(path)

    def prune(self) -> None:
        """See FenceStore."""
        oldest = time.time() - _KEPT_SECONDS
        for path in self._folder.glob("*.json"):
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _path(self, uuid: str) -> Path:
        return self._folder / f"{uuid}.json"


def check_address(order: Order, host: str, now: float) -> None:
    """Refuse an order that is for another host, came too late or names no instance.

    Raises:
        OrderRefused
    """
    if not _UUID.fullmatch(order.instance_uuid):
        raise OrderRefused("instance_uuid is not a uuid in canonical form")  # it becomes the name of files
    if order.host != host:
        raise OrderRefused(f"the order is for host {order.host!r}, not for {host!r}")
    if now > order.not_after:
        raise OrderRefused(f"the order came {now - order.not_after:.1f} s after its deadline")


def admit(order: Order, store: FenceStore) -> dict[str, Any] | None:
    """Let an order pass, or return the answer that it got the first time. The instance's lock must be held.

    Raises:
        OrderRefused: a newer attempt was seen, or the instance was destroyed since.
    """
    record = store.load(order.instance_uuid)
    if record.is_deleted and order.NAME != DestroyServer.NAME:
        raise OrderRefused("the instance was deleted")
    seen = record.operations.get(order.operation_id)
    if seen and order.attempt == seen.attempt and _key(order) in seen.answers:
        return seen.answers[_key(order)]
    if seen and order.attempt < seen.attempt:
        raise OrderRefused(f"attempt {order.attempt} is older than attempt {seen.attempt}, seen before")
    if seen and order.attempt < seen.floor and order.NAME != DestroyServer.NAME:
        raise OrderRefused("the instance was destroyed on this host since the operation began")
    if seen is None or order.attempt > seen.attempt:
        floor = max(order.attempt, seen.floor if seen else 0)
        record.operations.pop(order.operation_id, None)
        record.operations[order.operation_id] = Seen(floor=floor, attempt=order.attempt)
        _forget_oldest(record)
        store.save(order.instance_uuid, record)
    return None


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
    seen.answers = {**seen.answers, _key(order): answer}
    store.save(order.instance_uuid, record)


def _key(order: Order) -> str:
    return f"{order.NAME}/{order.step}"


def _forget_oldest(record: Record) -> None:
    for operation_id in list(record.operations)[:-_OPERATIONS_KEPT]:
        del record.operations[operation_id]
