"""The end of attaching or detaching an interface, and the way back: what the books say is what the host is told."""

from datetime import timedelta

import msgspec
from django.db import transaction

from cloud.compute import states
from cloud.compute.models import Instance, Operation
from cloud.compute.services import giving_up, operations
from cloud.conductor.steps import failing, orders
from cloud.conductor.steps.hearing import heard
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.networks.services import allocation, attaching
from contracts.compute import COMMANDS, InterfacesSet, ServerSpec, SetInterfaces
from contracts.errors import TENANT_TEXT, ErrorCode

ATTACH, DETACH = "attach_interface", "detach_interface"
_WORDS = {ATTACH: "The interface could not be attached", DETACH: "The interface could not be detached"}


def as_planned(operation: Operation, server: ServerSpec) -> ServerSpec:
    """Return a server with the interfaces that it shall have when the operation is done."""
    if operation.workflow == ATTACH:
        return server
    kept = [port for port in server.ports if port.id != operation.plan["port_id"]]
    return msgspec.structs.replace(server, ports=kept)


def finish_interfaces(outcome: InterfacesSet, operation_id: str, attempt: int) -> None:
    """Let the server be idle again with the interface, or without it."""
    for operation in heard([outcome], operation_id, attempt):
        _finish(operation)


def _finish(operation: Operation) -> None:
    with transaction.atomic():
        rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
        moved = states.machine.fire(rows, "interfaces_set", updated_at=database_now())
        if not (moved and operations.finish(operation)):
            transaction.set_rollback(True)
            return
        if operation.workflow == ATTACH:
            allocation.set_active(operation.instance_uuid)
        else:
            _give_back(operation)


def fail_interfaces(operation: Operation, code: str, detail: str = "") -> None:
    """Give back what should have been attached, keep what should have gone, and tell the host so."""
    text = f"{_WORDS[operation.workflow]}: {TENANT_TEXT.get(code, TENANT_TEXT[ErrorCode.INTERNAL])}"
    with transaction.atomic():
        if failing.end(operation, code, ("interfaces_set",), text, detail):
            undo(operation)


def undo(operation: Operation) -> None:
    """Let books and host be as before, whatever the host has done; in the transaction that ends the operation."""
    if operation.workflow == ATTACH:
        _give_back(operation)
    rpc.cast(_as_before(operation))


def _give_back(operation: Operation) -> None:
    position = operation.plan["position"]
    attaching.give_back(operation.instance_uuid, position)
    rows = Instance.objects.filter(uuid=operation.instance_uuid)
    document = rows.values_list("network_request", flat=True).get()
    rows.update(network_request=attaching.without(document, position))


def _as_before(operation: Operation) -> SetInterfaces:
    """Return the order that undoes what a host may have done. It has time of its own to arrive.

    It is of a later attempt, so that the host refuses what it is still to be given of the one that ended.
    """
    instance = Instance.objects.get(uuid=operation.instance_uuid)
    server = orders.server_spec(instance, allocation.port_specs(instance.uuid), None)
    seconds = COMMANDS[SetInterfaces.NAME].timing.deadline_seconds
    not_after = (database_now() + timedelta(seconds=seconds)).timestamp()
    fence = {**orders.fence(operation, orders.CLEAN_UP), "attempt": operation.attempt + 1, "not_after": not_after}
    return SetInterfaces(server=server, **fence)


failing.register(ATTACH, fail_interfaces)
failing.register(DETACH, fail_interfaces)
giving_up.register(ATTACH, undo)
giving_up.register(DETACH, undo)
