"""The record of what the control plane's tasks came to, for the admin: gathered in memory, written once a second.

Celery's own result backend stays Redis, which chords need. A record is a convenience: when more is done than can be
kept, the oldest of what waits is forgotten. What scheduler and agents answered is recorded by the conductor's step
that follows them; they have no database.
"""

import json
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from celery import states
from django.utils import timezone
from django_celery_results.models import TaskResult

from contracts import conductor as names
from contracts.compute import DestroyServer, RebuildServer, SpawnServer
from contracts.conductor import HostReport, PowerReport, Residue
from contracts.scheduling import SelectDestinations

_MOST = 5_000
_AT_ONCE = 500
_CHARACTERS = 2_000
# They come every few seconds from every host, or carry what a guest wrote; only their failures are worth a row.
_ROUTINE = frozenset({
    HostReport.NAME, PowerReport.NAME, Residue.NAME, names.SEND_HOST_SNAPSHOT, names.RECONCILE_OPERATIONS,
    names.RECONCILE_HOSTS, names.SWEEP, names.TAKE_ANSWER, names.NOTE_NETWORKS,
})  # fmt: skip
# The step -> the task of another process whose answer is its first argument.
_FOLLOWS = {
    names.CLAIM: SelectDestinations.NAME, names.FINISH_SPAWN: SpawnServer.NAME,
    names.FINISH_DELETE: DestroyServer.NAME, names.FINISH_REBUILD: RebuildServer.NAME,
}  # fmt: skip


class Recorder:
    """Gathers rows of any number of threads; one thread writes them."""

    def __init__(self) -> None:
        self._waiting: deque[TaskResult] = deque(maxlen=_MOST)
        self._started: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def started(self, task_id: str) -> None:
        """Note when a task began."""
        self._started[task_id] = timezone.now()

    def ended(self, task: Any, task_id: str, state: str, answer: Any, error: str = "") -> None:
        """Note how a task ended."""
        started = self._started.pop(task_id, None)
        if task.name in _ROUTINE and state == states.SUCCESS:
            return
        request = task.request
        self._add(task_id, task.name, state, request.hostname, date_started=started, traceback=error or None,
                  task_kwargs=_text(request.kwargs), result=_text(answer))
        before = _FOLLOWS.get(task.name)
        if before and request.parent_id and request.args and isinstance(request.args[0], Mapping):
            outcome = request.args[0]
            ended = states.FAILURE if outcome.get("error_code") else states.SUCCESS
            self._add(request.parent_id, before, ended, str(outcome.get("host") or "scheduler"), result=_text(outcome))

    def _add(self, task_id: str, name: str, state: str, worker: str | None, **columns: Any) -> None:
        row = TaskResult(task_id=task_id, task_name=name, status=state, worker=(worker or "")[:100],
                         content_type="application/json", content_encoding="utf-8", date_done=timezone.now(), **columns)
        with self._lock:
            self._waiting.append(row)

    def flush(self) -> int:
        """Write what waits; return how many rows that were."""
        with self._lock:
            rows = {row.task_id: row for row in self._waiting}
            self._waiting.clear()
        TaskResult.objects.bulk_create(
            rows.values(),
            batch_size=_AT_ONCE,
            update_conflicts=True,
            unique_fields=["task_id"],
            update_fields=["status", "result", "traceback", "worker", "date_started", "date_done"],
        )
        return len(rows)


def _text(value: Any) -> str:
    return json.dumps(value, default=str)[:_CHARACTERS]
