"""The scheduler's process, as a conductor meets it: through the broker alone."""

import json
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import redis
from celery import Celery

from contracts.broker import celery_settings
from contracts.conductor import SEND_HOST_SNAPSHOT
from contracts.errors import ErrorCode, RemoteFault
from contracts.routing import CONDUCTOR_QUEUE
from contracts.scheduling import (
    HOST_FEED,
    MOST_CONSIDERED,
    ConsiderDestinations,
    Considered,
    HostState,
    Question,
    SelectDestinations,
    Selected,
)
from tests.factories.scheduling import first_choices, make_host, make_request
from tests.fixtures.patience import eventually
from tests.fixtures.redis import RedisServer, start_redis
from tests.fixtures.scheduler import scheduler_process

pytestmark = pytest.mark.timeout(400)
_PATIENCE_SECONDS = 60.0


class Conductor:
    """The other end of the wire."""

    def __init__(self, server: RedisServer) -> None:
        self.client: redis.Redis = server.client()
        self._app = Celery("conductor", set_as_current=False)
        self._app.conf.update(celery_settings(server.url))

    def close(self) -> None:
        self._app.close()
        self.client.close()

    def publish(self, *hosts: HostState) -> None:
        self.client.xadd(HOST_FEED, {"hosts": json.dumps([host.to_wire() for host in hosts]), "full": "1"})

    def select(self, wire: dict[str, object]) -> Selected:
        result = self._app.send_task(SelectDestinations.NAME, args=[wire], ignore_result=False)
        return Selected.from_wire(result.get(timeout=_PATIENCE_SECONDS))

    def consider(self, count: int) -> Considered:
        message = ConsiderDestinations(questions=[Question(spec=make_request(), count=count)])
        result = self._app.send_task(ConsiderDestinations.NAME, args=[message.to_wire()], ignore_result=False)
        return Considered.from_wire(result.get(timeout=_PATIENCE_SECONDS))

    def next_task(self) -> str:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            message = self.client.rpop(CONDUCTOR_QUEUE)
            if message:
                return str(json.loads(str(message))["headers"]["task"])
            time.sleep(0.02)
        raise AssertionError("the scheduler did not ask the conductor for anything")


@pytest.fixture
def conductor() -> Iterator[Conductor]:
    server = start_redis()
    try:
        with closing(Conductor(server)) as conductor, scheduler_process(server.url):
            yield conductor
    finally:
        server.stop()


def wanted(count: int, **request: object) -> dict[str, object]:
    ids = [str(number) for number in range(count)]
    return SelectDestinations(operation_ids=ids, spec=make_request(**request), attempt=1).to_wire()


def test_scheduler_asks_for_hosts_answers_refuses_and_outlives_a_wipe(conductor: Conductor):
    assert conductor.next_task() == SEND_HOST_SNAPSHOT
    started = time.monotonic()
    assert conductor.select(wanted(1)).hosts_total == 0, "nobody answered: it waits 5 s, then says what it knows"
    assert time.monotonic() - started >= 4

    conductor.publish(make_host("a", memory_mb=2048), make_host("b", memory_mb=2048))
    assert eventually(lambda: sorted(first_choices(conductor.consider(5).answers[0])) == ["", "a", "a", "b", "b"])
    assert sorted(first_choices(conductor.select(wanted(2)))) == ["a", "b"]
    assert sorted(first_choices(conductor.select(wanted(3)))) == ["", "a", "b"], "it remembers what it gave away"

    with pytest.raises(RemoteFault) as caught:
        conductor.select({"spec": {}})
    assert caught.value.code == ErrorCode.ORDER_REFUSED
    with pytest.raises(RemoteFault) as caught:
        conductor.consider(MOST_CONSIDERED + 1)
    assert caught.value.code == ErrorCode.ORDER_REFUSED

    conductor.client.flushall()
    assert conductor.next_task() == SEND_HOST_SNAPSHOT
    conductor.publish(make_host("c", generation=9))
    assert eventually(lambda: set(first_choices(conductor.consider(1).answers[0])) == {"c"})
    assert first_choices(conductor.select(wanted(1))) == ["c"]
