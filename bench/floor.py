"""What nothing here can be quicker than: a Celery hop, a commit, an HTTP request, a list of 1,000 servers as JSON."""

import json
import statistics
import time
from typing import Any

import orjson
import psutil
from celery import Celery

from bench.report import milliseconds
from bench.stage import Stage, cpu_of, stage
from contracts.broker import celery_settings
from contracts.conductor import NOTE_OUTCOME
from contracts.envelope import Outcome
from contracts.routing import CONDUCTOR_QUEUE

_ALONE = 50
_TOGETHER = 500
_ROUNDS = 200


def measure() -> dict[str, Any]:
    """Return the figures, those of commits by database."""
    with stage("sqlite") as here:
        hops = _hops(here)
        here.serve()
        figures = {"hop": hops, "request": _request(here), "json": _json(), "commit_sqlite": _commit(here)}
    with stage("postgresql", is_durable=True) as here:
        return {**figures, "commit_postgresql": _commit(here)}


def _hops(here: Stage) -> dict[str, Any]:
    """Send a conductor tasks that do nothing."""
    conductor = here.start("-m", "cloud.conductor", NOVELLA_LOG_LEVEL="ERROR")
    app = Celery("bench", set_as_current=False)
    app.conf.update(celery_settings(here.redis_url))
    try:
        wait = {"timeout": 60}
        _send(app).get(**wait)
        alone = []
        for _ in range(_ALONE):
            began = time.perf_counter()
            _send(app).get(**wait)
            alone.append(time.perf_counter() - began)
        process = psutil.Process(conductor.pid)
        before, began = cpu_of(process), time.perf_counter()
        for one in [_send(app) for _ in range(_TOGETHER)]:
            one.get(**wait)
        wall, used = time.perf_counter() - began, cpu_of(process) - before
    finally:
        app.close()
        conductor.terminate()
        conductor.wait(20)
    return {
        "there_and_back_ms": milliseconds(statistics.median(alone)), "a_second": round(_TOGETHER / wall),
        "worker_cpu_ms": milliseconds(used / _TOGETHER),
    }  # fmt: skip


def _send(app: Celery) -> Any:
    known = {"operation_id": "00000000-0000-4000-8000-000000000000", "attempt": 1}
    return app.send_task(
        NOTE_OUTCOME, args=[Outcome().to_wire()], kwargs=known, queue=CONDUCTOR_QUEUE, ignore_result=False
    )


def _request(here: Stage) -> dict[str, Any]:
    """Ask for what takes no token and no query."""
    client = here.client()
    times = []
    before = here.cpu_seconds()
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        assert client.call("GET", "/compute/v2.1/").status == 200
        times.append(time.perf_counter() - began)
    used = here.cpu_seconds() - before
    return {"alone_ms": milliseconds(statistics.median(times)), "cpu_ms": milliseconds(used / _ROUNDS)}


def _json() -> dict[str, Any]:
    row = {f"field-{number}": [{"a": "x" * 12, "b": number}] for number in range(36)}
    body = {"servers": [row] * 1000}
    began = time.process_time()
    for _ in range(10):
        orjson.dumps(body)
    return {"thousand_servers_ms": milliseconds((time.process_time() - began) / 10)}


def _commit(here: Stage) -> dict[str, Any]:
    return dict(json.loads(here.run("manage.py", "shell", "-v", "0", "-c", _COMMITS).splitlines()[-1]))


_COMMITS = f"""
import json, statistics, time
from django.db import transaction
from cloud.core.models import Lease
from django.utils import timezone
Lease.objects.create(name="bench", holder="0", expires_at=timezone.now())
times, cpu = [], time.process_time()
for number in range({_ROUNDS}):
    began = time.perf_counter()
    with transaction.atomic():
        Lease.objects.filter(name="bench").update(holder=str(number))
    times.append(time.perf_counter() - began)
cpu = time.process_time() - cpu
print(json.dumps({{"alone_ms": round(statistics.median(times) * 1000, 2), "cpu_ms": round(cpu / {_ROUNDS} * 1000, 2)}}))
"""
