"""What a conductor does beside its tasks: a thread writes down results and that it is there, one what hosts say."""

import logging
import threading
import time
from typing import Any

from celery.signals import task_failure, task_postrun, task_prerun, worker_ready, worker_shutting_down
from django.db import DatabaseError, InterfaceError, close_old_connections

from cloud.compute.services import tries
from cloud.compute.services.host_reports import write_heartbeats
from cloud.conductor.inbound.applied import applied
from cloud.conductor.inbound.gate import gate
from cloud.conductor.inbound.guard import Guard
from cloud.conductor.inbound.hoards import HoardWatch
from cloud.conductor.inbound.reports import reports
from cloud.conductor.inbound.users import UserKeeper
from cloud.conductor.presence import note_conductor
from cloud.conductor.reconcile.losses import BrokerWatch, repeat_soon
from cloud.conductor.results import Recorder
from cloud.conductor.telling_networks import Teller
from cloud.core.context import current_request_id

_log = logging.getLogger(__name__)
_PRESENCE_SECONDS = 15.0
_DATABASE_ERRORS = (DatabaseError, InterfaceError)  # neither is the other's kind
recorder = Recorder()
keeper = UserKeeper()
watch = BrokerWatch()
guard = Guard(gate)
teller = Teller()
hoards = HoardWatch()
_stopping = threading.Event()
# Set when the database failed a task: what that task was to write down, nobody will write.
_lost = threading.Event()
_threads: list[threading.Thread] = []


@task_prerun.connect
def _begun(task_id: str, **_: Any) -> None:
    current_request_id.set("-")  # the thread's last task may have been another request's
    recorder.started(task_id)


@task_failure.connect
def _failed(sender: Any, task_id: str, exception: BaseException, einfo: Any, **_: Any) -> None:
    recorder.ended(sender, task_id, "FAILURE", f"{type(exception).__name__}: {exception}", str(einfo))
    if isinstance(exception, DatabaseError | InterfaceError):
        _lost.set()


@task_postrun.connect
def _ended(sender: Any, task_id: str, retval: Any, state: str, **_: Any) -> None:
    if state != "FAILURE":
        recorder.ended(sender, task_id, state, retval)


@worker_ready.connect
def _start(**_: Any) -> None:
    _threads[:] = [
        threading.Thread(target=_run, name="background", daemon=True),
        threading.Thread(target=reports.run, args=(_stopping,), name="reports", daemon=True),
    ]
    for thread in _threads:
        thread.start()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    _stopping.set()


def _repeat() -> None:
    # A predecessor may have died; the orders of those that live do no harm twice.
    try:
        repeat_soon()
    except _DATABASE_ERRORS as error:
        _log.warning("what was lost waits for its own time: %s", error)


def repeat_what_was_lost() -> None:
    """Let what the database failed be sent again as soon as it answers, not when its silence has lasted long enough."""
    tries.make_up()
    if _lost.is_set():
        repeat_soon()
        _lost.clear()


def _run() -> None:
    _repeat()
    seen_at = float("-inf")
    while not _stopping.wait(1.0):
        close_old_connections()
        try:
            write_heartbeats()
            repeat_what_was_lost()
            recorder.flush()
            keeper.look()
            watch.look()
            guard.look()
            hoards.look()
            applied.write()
            teller.look()
            if time.monotonic() - seen_at >= _PRESENCE_SECONDS:
                note_conductor()
                seen_at = time.monotonic()
        except _DATABASE_ERRORS as error:
            _log.warning("results of the last second are not recorded: %s", error)
    try:
        applied.write()
        recorder.flush()
    except _DATABASE_ERRORS:
        _log.exception("the last results are not recorded")
