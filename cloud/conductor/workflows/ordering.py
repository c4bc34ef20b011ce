"""Orders and who hears of them: one order and the step that takes its outcome, or several and the step that joins them.

Most workflows are made of these two.
"""

import uuid
from collections.abc import Sequence

from celery import chain, chord
from celery.canvas import Signature

from cloud.conductor.workflows.failure import on_failure
from cloud.core import rpc
from contracts.conductor import NOTE_OUTCOME
from contracts.envelope import Order


def order_then(order: Order, finish: str) -> Signature:
    """Return the canvas of one order and the step that hears what came of it."""
    # No way out for the order itself: a host answers with a value, and may not say that an operation has failed
    # otherwise. The step's own is added where the outcome comes in, see cloud.conductor.inbound.
    return chain(rpc.on_host(order), rpc.heard(finish, order))


def all_then(orders: Sequence[Order], join: str) -> Signature:
    """Return the canvas of orders that are carried out side by side, and the step that goes on when all are done.

    Each outcome is noted by a step of its own, so that the counting happens in the control plane.
    """
    first = orders[0]
    operation_id, attempt = first.operation_id, first.attempt
    header = [chain(rpc.on_host(one), rpc.heard(NOTE_OUTCOME, one, keep_result=True)) for one in orders]
    # Celery names the group after the chord.
    return chord(header, joined(join, operation_id, attempt)).set(task_id=group_id(operation_id, attempt))


def joined(join: str, operation_id: str, attempt: int) -> Signature:
    """Return the step that takes the outcomes of orders carried out side by side."""
    return rpc.step(join, operation_id=operation_id, attempt=attempt).on_error(on_failure([operation_id], attempt))


def group_id(operation_id: str, attempt: int) -> str:
    """Return a name for orders sent together: another one each time, and of this operation for all to see."""
    return f"{group_prefix(operation_id, attempt)}{uuid.uuid4().hex}"


def group_prefix(operation_id: str, attempt: int) -> str:
    """Return what the names of an attempt's groups begin with."""
    return f"{operation_id}.{attempt}."
