"""Placing: the scheduler chooses hosts for servers that share one decision, the conductor claims them."""

from celery import chain
from celery.canvas import Signature

from cloud.conductor.workflows.failure import on_failure
from cloud.core import rpc
from contracts.conductor import CLAIM
from contracts.scheduling import SelectDestinations, Selected

# Ids stand in a canvas four times; this many keep it below 16 KB.
MAX_OPERATIONS = 50


def place_servers(message: SelectDestinations) -> Signature:
    """Return the canvas that asks the scheduler and claims what it chose."""
    ids = message.operation_ids
    return chain(
        rpc.to_scheduler(message, SelectDestinations.NAME),
        rpc.step(CLAIM, operation_ids=ids, attempt=message.attempt),
    ).on_error(on_failure(ids, message.attempt))


def claim_alternates(operation_id: str, attempt: int, hosts: list[str]) -> Signature:
    """Return the canvas that claims the hosts which the scheduler named beside the first."""
    selected = Selected(hosts=[hosts]).to_wire()
    claim = rpc.step(CLAIM, immutable=True, selected=selected, operation_ids=[operation_id], attempt=attempt)
    return claim.on_error(on_failure([operation_id], attempt))
