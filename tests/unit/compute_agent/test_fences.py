"""What a host remembers of its orders, in memory and on disk."""

import errno
import os
import time

import pytest

from compute_agent import fences
from compute_agent.errors import HostDiskFull, OrderRefused
from compute_agent.fences import FileFences, MemoryFences, admit, remember
from contracts.compute import DestroyServer, SpawnServer, StopServer
from tests.unit.compute_agent.orders import new_id, order, server_spec

UUID = new_id()


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    return MemoryFences() if request.param == "memory" else FileFences(tmp_path)


def test_answer_is_given_again(store):
    stop = order(StopServer, UUID)
    assert admit(stop, store) is None
    remember(stop, {"power_state": 4}, store)
    assert admit(stop, store) == {"power_state": 4}


def test_order_that_failed_may_be_tried_again(store):
    stop = order(StopServer, UUID)
    assert admit(stop, store) is None
    assert admit(stop, store) is None


def test_newer_attempt_gets_no_old_answer(store):
    operation_id = new_id()
    first = order(StopServer, UUID, operation_id=operation_id)
    admit(first, store)
    remember(first, {"power_state": 4}, store)
    assert admit(order(StopServer, UUID, operation_id=operation_id, attempt=2), store) is None


def test_destroy_may_follow_destroy(store):
    operation_id = new_id()
    first = order(DestroyServer, UUID, operation_id=operation_id)
    admit(first, store)
    remember(first, {"host": "h"}, store)
    assert admit(first, store) == {"host": "h"}
    assert admit(order(DestroyServer, UUID, operation_id=operation_id, step="again"), store) is None
    assert admit(order(DestroyServer, UUID), store) is None


def test_operations_from_before_a_destroy_are_over_whatever_their_attempt(store):
    operation_id = new_id()
    admit(order(StopServer, UUID, operation_id=operation_id), store)
    destroy = order(DestroyServer, UUID)
    admit(destroy, store)
    remember(destroy, {}, store)
    with pytest.raises(OrderRefused):
        admit(order(StopServer, UUID, operation_id=operation_id, attempt=9), store)


def test_record_does_not_grow_for_ever(store):
    for _ in range(40):
        admit(order(StopServer, UUID), store)
    assert len(store.load(UUID).operations) == 16


def test_processes_of_a_host_share_what_is_on_disk(tmp_path):
    operation_id = new_id()
    admit(order(StopServer, UUID, operation_id=operation_id, attempt=5), FileFences(tmp_path))
    with pytest.raises(OrderRefused):
        admit(order(StopServer, UUID, operation_id=operation_id, attempt=4), FileFences(tmp_path))


def test_old_records_are_forgotten(tmp_path):
    store = FileFences(tmp_path)
    admit(order(StopServer, UUID), store)
    store.prune()
    assert list(tmp_path.glob("*.json"))
    yesterday = time.time() - 90_000
    for path in tmp_path.iterdir():
        os.utime(path, (yesterday, yesterday))
    store.prune()
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("content", [b"", b'{"operations":{"a":{"fl'])
def test_orders_from_before_a_record_was_torn_are_refused_and_later_ones_are_not(tmp_path, content, caplog):
    now = time.time()
    sent_before = order(SpawnServer, UUID, server=server_spec(uuid=UUID), not_after=now + 170)
    store = FileFences(tmp_path)
    admit(sent_before, store)
    (tmp_path / f"{UUID}.json").write_bytes(content)
    for _ in range(2):
        with pytest.raises(OrderRefused, match="lost its record"):
            admit(sent_before, store)
    assert "is broken" in caplog.text
    assert admit(order(StopServer, UUID, not_after=now + 185), store) is None
    with pytest.raises(OrderRefused, match="lost its record"):
        admit(sent_before, store)
    assert admit(order(DestroyServer, UUID, not_after=now + 100), store) is None


def test_a_full_disk_stops_what_would_fill_it_and_lets_pass_what_frees_it(tmp_path, monkeypatch):
    store = FileFences(tmp_path)
    reserve = tmp_path / ".reserve"

    def until_reserve_is_gone(path, content, **_):
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(fences, "replace_file", until_reserve_is_gone)
    with pytest.raises(HostDiskFull):
        admit(order(StopServer, UUID), store)
    assert admit(order(DestroyServer, UUID), store) is None
    store.prune()
    assert reserve.stat().st_size == 65_536


def test_a_deleted_instance_is_not_brought_back_by_an_order_that_nobody_had_heard_of(store):
    destroy = order(DestroyServer, UUID, is_final=True)
    admit(destroy, store)
    remember(destroy, {}, store)
    with pytest.raises(OrderRefused):
        admit(order(StopServer, UUID), store)
    assert admit(order(DestroyServer, UUID, is_final=True), store) is None
