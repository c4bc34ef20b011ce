"""The way out of every canvas when one of its control-plane steps raises."""

from celery.canvas import Signature

from cloud.core import rpc
from contracts.conductor import FAIL_OPERATION


def on_failure(operation_ids: list[str], attempt: int) -> Signature:
    """Return the error callback: it takes the failed task's id, whoever calls it."""
    return rpc.step(FAIL_OPERATION, operation_ids=operation_ids, attempt=attempt)
