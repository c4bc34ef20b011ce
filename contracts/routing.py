"""Which queue a task goes to. Every Celery app of the cloud uses this table, so a link cannot go astray."""

import re
from typing import Any

CONDUCTOR_QUEUE = "conductor"
# The only queue that hosts may write to. Whatever comes by it is checked before anything else looks at it.
INBOUND_QUEUE = "conductor.inbound"
# What came by it and was let in: what came of orders, and what hosts tell by themselves. Conductors alone write here.
HEARD_QUEUE = "conductor.heard"
REPORTS_QUEUE = "conductor.reports"
SCHEDULER_QUEUE = "scheduler"

# A host name becomes part of queue names, Redis ACL patterns and file names.
HOST_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9])?")


def compute_queue(host: str) -> str:
    """Return the queue of a host's fast lane.

    Raises:
        ValueError: the host's name has characters that a queue name may not have.
    """
    if not HOST_NAME.fullmatch(host):
        raise ValueError(f"{host!r} cannot be a host name")
    return f"compute.{host}"


def slow_compute_queue(host: str) -> str:
    """Return the queue of a host's slow lane, for work that moves the bytes of a disk."""
    return compute_queue(host) + ".slow"


# Celery's task_routes: agents' orders have no route here, because each must be sent to its host explicitly.
TASK_ROUTES: dict[str, dict[str, Any]] = {
    "conductor.*": {"queue": CONDUCTOR_QUEUE},
    "scheduler.*": {"queue": SCHEDULER_QUEUE},
}
