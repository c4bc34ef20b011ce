"""What beat sends, and how often. Every one of these does no harm when it runs twice."""

from typing import Any

from contracts.conductor import PRUNE, RECLAIM, RECONCILE_HOSTS, RECONCILE_OPERATIONS, SEND_HOST_SNAPSHOT, SWEEP
from contracts.routing import CONDUCTOR_QUEUE

PERIODS: dict[str, float] = {
    RECONCILE_OPERATIONS: 5.0,
    RECONCILE_HOSTS: 10.0,
    RECLAIM: 30.0,
    SWEEP: 15.0,
    SEND_HOST_SNAPSHOT: 60.0,
    PRUNE: 3600.0,
}


def _every(seconds: float, task: str) -> dict[str, Any]:
    # A conductor that was away finds one message of each kind, not one for every tick.
    options = {"queue": CONDUCTOR_QUEUE, "expires": 2 * seconds, "ignore_result": True}
    return {"task": task, "schedule": seconds, "options": options}


SCHEDULE = {task.rsplit(".", 1)[1].replace("_", "-"): _every(seconds, task) for task, seconds in PERIODS.items()}
