"""The gate of the inbound queue: only what a host proves passes, and nothing around it."""

import base64
import json
import logging
import time
import uuid

import pytest

from cloud.compute.services.keyring import Entry, Keyring
from cloud.conductor.inbound.gate import Gate
from cloud.conductor.inbound.limits import ANSWERS, REPORTS, TOO_MANY, Limits
from cloud.conductor.inbound.words import MOST_BYTES, Word
from cloud.conductor.workflows.ordering import group_id
from contracts.compute import COMMANDS, GetConsoleOutput, PlugVifs, PrepareImage, SpawnServer
from contracts.conductor import (
    BEGIN_LAND,
    BEGIN_SPAWN,
    FAIL_OPERATION,
    FINISH_SPAWN,
    NOTE_OUTCOME,
    TAKE_ANSWER,
    HostReport,
)
from contracts.inbound import HEARD, JOINS
from contracts.routing import HEARD_QUEUE
from contracts.signing import WORD, sign

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ID, OTHER_ID = str(uuid.uuid4()), str(uuid.uuid4())


class Keys(Keyring):
    """Keys that no table holds."""

    def _refresh(self) -> None:
        self._exact = {"a": Entry("a", KEY), "b": Entry("b", OTHER_KEY), "gone": Entry("gone", None)}
        self._beginnings = {"fake-": Entry("many", KEY)}
        self._checked_at = time.monotonic()


@pytest.fixture
def gate():
    return Gate(Keys())


def outcome(order, host="a", operation_id=ID, **changes):
    origin = {"host": host, "attempt": 2, "operation_id": operation_id, "step": "s", "order": order.NAME}
    return {"error_code": "", **origin, **changes}


def raw(task, wire, *, headers=None, embedded=None, kwargs=None):
    body = [[wire], kwargs or {}, embedded or {}]
    return json.dumps({
        "body": base64.b64encode(json.dumps(body).encode()).decode(), "content-type": "application/json",
        "content-encoding": "utf-8", "headers": {"task": task, **(headers or {})},
        "properties": {"body_encoding": "base64", "delivery_tag": "theirs"},
    }).encode()  # fmt: skip


def word(task, order, key=KEY, *, around=None, **changes):
    return raw(task, sign(key, WORD, order.NAME, outcome(order, **changes)), **(around or {}))


def body_of(message):
    return json.loads(base64.b64decode(message["body"]))


def test_a_word_that_is_heard_at_the_gate_becomes_no_task_and_is_not_refused():
    heard = []
    gate = Gate(Keys(), lambda one: one.task == HostReport.NAME and not heard.append(one.host))
    wire = HostReport(host="a", reported_at=1.0).to_wire()
    assert gate.admit(raw(HostReport.NAME, sign(KEY, WORD, HostReport.NAME, wire))) is None
    assert gate.admit(raw(HostReport.NAME, wire)) is None, "nobody signed it"
    assert (heard, gate.refused) == (["a"], 1)
    assert gate.admit(word(FINISH_SPAWN, SpawnServer)) is not None


def test_an_outcome_becomes_the_step_of_its_own_operation(gate):
    message = gate.admit(word(FINISH_SPAWN, SpawnServer))
    (wire,), kwargs, embedded = body_of(message)
    assert message["headers"]["task"] == FINISH_SPAWN
    assert wire["operation_id"] == ID
    assert kwargs == {"operation_id": ID, "attempt": 2}
    (way_out,) = embedded["errbacks"]
    assert (way_out["task"], way_out["kwargs"]) == (FAIL_OPERATION, {"operation_ids": [ID], "attempt": 2})
    assert (embedded["callbacks"], embedded["chain"], embedded["chord"]) == (None, None, None)
    assert message["properties"]["delivery_info"] == {"exchange": "", "routing_key": HEARD_QUEUE}


def test_nothing_that_was_written_around_it_is_kept(gate):
    evil = {"task": "evil", "kwargs": {"x": "evil"}, "options": {"queue": "evil"}}
    around = {
        "headers": {"id": "evil", "root_id": "evil", "parent_id": "evil", "group": "evil", "reply_to": "evil",
                    "argsrepr": "evil", "origin": "evil", "expires": "evil", "shadow": "evil"},
        "embedded": {"callbacks": [evil], "errbacks": [evil], "chain": [evil], "chord": evil},
        "kwargs": {"operation_id": OTHER_ID, "attempt": 9, "evil": "evil"},
    }  # fmt: skip
    message = gate.admit(word(FINISH_SPAWN, SpawnServer, around=around))
    text = json.dumps(message) + json.dumps(body_of(message))
    assert "evil" not in text
    assert "theirs" not in text
    assert OTHER_ID not in text


@pytest.mark.parametrize("changes", [
    {"error_code": "x"}, {"host": "b"}, {"attempt": 3}, {"operation_id": OTHER_ID}, {"step": "t"}, {"more": 1},
    {"order": "compute.v1.stop_server"}, {"signature": ""}, {"signature": None}, {"host": "gone"}, {"host": "nobody"},
    {"host": "fake-1.x/../a"}, {"host": None},
])  # fmt: skip
def test_an_altered_word_is_refused(gate, changes):
    signed = sign(KEY, WORD, SpawnServer.NAME, outcome(SpawnServer))
    assert gate.admit(raw(FINISH_SPAWN, signed))
    assert gate.admit(raw(FINISH_SPAWN, {**signed, **changes})) is None


def test_another_hosts_key_proves_nothing(gate):
    assert gate.admit(word(FINISH_SPAWN, SpawnServer, OTHER_KEY)) is None
    assert gate.admit(word(FINISH_SPAWN, SpawnServer, OTHER_KEY, host="b"))
    assert gate.admit(word(FINISH_SPAWN, SpawnServer, host="fake-007"))


def test_an_order_is_no_word(gate):
    signed = sign(KEY, b"novella order\n", SpawnServer.NAME, outcome(SpawnServer))
    assert gate.admit(raw(FINISH_SPAWN, signed)) is None


@pytest.mark.parametrize("task", sorted(HEARD))
def test_a_step_takes_the_outcomes_that_the_table_names_and_no_other(gate, task):
    for name, command in COMMANDS.items():
        around = {"headers": {"group": group_id(ID, 2)}}
        join = next((join for join, orders in JOINS.items() if name in orders), "")
        admitted = gate.admit(word(task, command.order, around={**around, "embedded": {"chord": {"task": join}}}))
        assert bool(admitted) == (name in HEARD[task])


def note(order=PlugVifs, *, join=BEGIN_SPAWN, group="", index=1, **changes):
    around = {
        "headers": {"group": group or group_id(ID, 2), "group_index": index}, "embedded": {"chord": {"task": join}}
    }
    return word(NOTE_OUTCOME, order, around=around, **changes)


def test_the_join_is_made_anew(gate):
    message = gate.admit(note())
    join = body_of(message)[2]["chord"]
    assert (join["task"], join["kwargs"]) == (BEGIN_SPAWN, {"operation_id": ID, "attempt": 2})
    assert join["options"]["queue"] == "conductor"
    assert message["headers"]["group_index"] == 1
    assert ID in join["options"]["kwargsrepr"], "what Flower shows of it"
    assert message["headers"]["ignore_result"] is True, "a chord keeps its members' values by itself"


@pytest.mark.parametrize("forged", [
    {"join": FINISH_SPAWN}, {"join": FAIL_OPERATION}, {"join": BEGIN_LAND, "order": PrepareImage}, {"join": ""},
    {"group": group_id(OTHER_ID, 2)}, {"group": group_id(ID, 3)}, {"group": "x"}, {"group": group_id(ID, 2) * 9},
    {"index": -1}, {"index": 1000},
])  # fmt: skip
def test_a_host_counts_in_no_group_but_its_own(gate, forged):
    assert gate.admit(note(**forged)) is None


def test_a_member_counts_once_however_often_it_is_delivered(gate):
    group = group_id(ID, 2)
    ids = {gate.admit(note(group=group))["headers"]["id"] for _ in range(3)}
    assert len(ids) == 1
    assert gate.admit(note(group=group, order=PrepareImage, index=0))["headers"]["id"] not in ids


def test_an_answer_is_kept_under_the_operations_id_which_is_signed(gate):
    around = {"headers": {"id": OTHER_ID}}
    assert gate.admit(word(TAKE_ANSWER, GetConsoleOutput, around=around))["headers"]["id"] == ID
    assert gate.admit(word(TAKE_ANSWER, GetConsoleOutput, operation_id="celery")) is None


def test_a_report_carries_nothing_on(gate):
    wire = sign(KEY, WORD, HostReport.NAME, HostReport(host="a", reported_at=1.0).to_wire())
    until = "2026-01-01T00:00:00"
    message = gate.admit(raw(HostReport.NAME, wire, kwargs={"operation_id": ID}, headers={"expires": until}))
    assert body_of(message)[1:] == [{}, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    assert message["headers"]["expires"] == until


def test_what_is_let_in_is_let_in_again(gate):
    """What was not acknowledged comes back as it was let in."""
    for first in (word(FINISH_SPAWN, SpawnServer), note()):
        message = gate.admit(first)
        again = gate.admit(json.dumps(message).encode())
        assert body_of(again) == body_of(message)


def test_size_is_bounded(gate):
    assert gate.admit(word(FINISH_SPAWN, SpawnServer, detail="x" * MOST_BYTES)) is None


def test_unsigned_words_are_for_hosts_that_never_had_a_credential(gate, settings):
    never, once, dismissed = (raw(FINISH_SPAWN, outcome(SpawnServer, host=host)) for host in ("old", "a", "gone"))
    assert gate.admit(never) is None
    settings.ACCEPT_UNSIGNED = True
    assert gate.admit(never)
    assert gate.admit(once) is None
    assert gate.admit(dismissed) is None


def test_an_outcome_of_the_first_release_is_understood_where_it_is_believed(gate, settings):
    settings.ACCEPT_UNSIGNED = True
    wire = {"error_code": "", "detail": "", "host": "old", "attempt": 2}
    message = gate.admit(raw(FINISH_SPAWN, wire, kwargs={"operation_id": ID, "attempt": 2}))
    assert body_of(message)[1] == {"operation_id": ID, "attempt": 2}


def test_refusals_are_logged_but_flood_no_log(gate, caplog):
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            gate.admit(b"x")
    assert 1 <= len(caplog.records) <= 12
    assert "refused" in caplog.text
    assert gate.unproven == 100


def _said(host="a", size=100, task=HostReport.NAME):
    return Word(task=task, host=host, wire={}, size=size)


def test_a_host_that_says_too_much_is_not_heard_and_the_others_are():
    now = [0.0]
    limits = Limits(lambda: now[0])
    assert sum(limits.admits(_said()) for _ in range(1_000)) == REPORTS.at_once
    assert limits.admits(_said("b"))
    assert limits.admits(_said(task=FINISH_SPAWN))
    now[0] += 1
    assert sum(limits.admits(_said()) for _ in range(1_000)) == REPORTS.a_second
    assert not limits.is_flooding("a")
    for _ in range(TOO_MANY):
        limits.admits(_said())
    assert limits.is_flooding("a")
    assert not limits.is_flooding("b")


def test_large_words_count_for_more():
    limits = Limits(lambda: 0.0)
    assert sum(limits.admits(_said(size=10**6, task=FINISH_SPAWN)) for _ in range(1_000)) == ANSWERS.at_once // 62


def test_checking_a_word_takes_tens_of_microseconds(gate):
    words = [word(FINISH_SPAWN, SpawnServer, detail=str(number)) for number in range(500)]
    begun = time.thread_time()
    for one in words:
        gate.admit(one)
    assert (time.thread_time() - begun) / len(words) < 0.001  # 0.1 ms here; others' load does not count
