"""What came of orders is worked on before the reports that hosts sent earlier."""

import base64
import json
import time
import uuid

import pytest
from kombu import Connection, Consumer, Queue

from cloud.compute.services.keyring import Entry, Keyring
from cloud.conductor.inbound import transport
from cloud.conductor.inbound.gate import Gate
from contracts.compute import SpawnServer
from contracts.conductor import FINISH_SPAWN, PowerReport
from contracts.routing import HEARD_QUEUE, INBOUND_QUEUE, REPORTS_QUEUE
from contracts.signing import WORD, sign

_KEY = b"k" * 32
_REPORTS = 40


class _Keys(Keyring):
    """A key that no table holds."""

    def _refresh(self) -> None:
        self._exact = {"a": Entry("a", _KEY)}
        self._beginnings = {}
        self._checked_at = time.monotonic()


@pytest.fixture
def taken(redis_server, monkeypatch):
    """Return a function that takes one message after the other, as a conductor does, and tells of which tasks."""
    monkeypatch.setattr(transport, "gate", Gate(_Keys()))
    tasks = []

    def take(body, message):
        tasks.append(message.headers["task"])

    with Connection(redis_server.url, transport=transport.Transport) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)
        queues = [Queue(name, routing_key=name) for name in (INBOUND_QUEUE, HEARD_QUEUE, REPORTS_QUEUE)]
        with Consumer(channel, queues, callbacks=[take], no_ack=True, accept=["json"]):
            yield lambda count: [connection.drain_events(timeout=60) for _ in range(count)] and tasks


def _word(task, name, **wire):
    signed = sign(_KEY, WORD, name, {**wire, "host": "a"})
    embedded = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    body = base64.b64encode(json.dumps([[signed], {}, embedded]).encode()).decode()
    return json.dumps({
        "body": body, "content-type": "application/json", "content-encoding": "utf-8", "headers": {"task": task},
        "properties": {"body_encoding": "base64", "delivery_tag": str(uuid.uuid4()), "delivery_info": {}},
    })  # fmt: skip


def test_an_outcome_overtakes_reports_that_came_before_it(redis_server, taken):
    report = PowerReport(host="a", reported_at=1.0, instances=[]).to_wire()
    origin = {"attempt": 1, "operation_id": str(uuid.uuid4()), "step": "s", "order": SpawnServer.NAME}
    client = redis_server.client()
    client.lpush(INBOUND_QUEUE, *[_word(PowerReport.NAME, PowerReport.NAME, **report) for _ in range(_REPORTS)])
    client.lpush(INBOUND_QUEUE, _word(FINISH_SPAWN, SpawnServer.NAME, **origin, error_code=""))
    assert FINISH_SPAWN in taken(4), "it waits behind what came before it"
    assert client.llen(INBOUND_QUEUE) == 0
    assert taken(_REPORTS - 3).count(PowerReport.NAME) == _REPORTS, "none is lost"
    client.close()
