"""Repairs of one server's rows: each judges again what it is about, and leaves alone what is in order or moves."""

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import ComputeNode, Instance, InstanceFault, InstanceTag, Operation, ServerGroupMember, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import done_operations, graphs, host_feed, moves, operations
from cloud.compute.services.reset_state import reset
from cloud.conductor.steps.orders import claim_of
from cloud.core.clock import database_now
from cloud.core.context import RequestContext, new_request_id
from cloud.networks.services import allocation
from cloud.placement.models import Allocation
from cloud.placement.services import claims
from cloud.placement.services.recount import hold_exactly
from contracts.errors import ErrorCode

_LOST = "What was being done to the server was lost; nothing is under way any more."
_NOT_KNOWN = "Nothing was known of the request that made it; recorded by a sweep."
_OPEN = (StepState.PENDING, StepState.SENT)


def _running(uuid: str) -> list[Operation]:
    return list(Operation.objects.filter(instance_uuid=uuid, state=OperationState.RUNNING).order_by("-started_at"))


def _at_rest(uuid: str) -> Instance | None:
    """Return a server that we know and nobody does anything to."""
    found = Instance.objects.filter(uuid=uuid).first()
    if found is None or _running(uuid):
        return None
    is_resting = found.task_state == states.IDLE and moves.unfinished(uuid) is None
    return found if found.deleted or is_resting else None


def hold_what_is_needed(uuid: str) -> bool:
    """Let a server hold of its host what it needs, and nothing else anywhere, if that fits."""
    homes = Instance.objects.filter(uuid=uuid).values_list("host", flat=True)
    held = Allocation.objects.filter(consumer_uuid=uuid).values_list("provider__name", flat=True)
    with transaction.atomic():
        # First of all, as everybody does who claims: what is read after this stays so.
        claims.lock_hosts({*homes, *held} - {""})
        instance = _at_rest(uuid)
        if instance is None:
            return False
        is_there = bool(instance.host) and not instance.deleted
        refused, hosts = hold_exactly(uuid, [claim_of(instance, instance.host)] if is_there else [])
        if refused:
            transaction.set_rollback(True)
            return False
        host_feed.publish(hosts)
    return True


def bind_or_give_back(uuid: str) -> bool:
    """Let the ports of a server be where it is; of a deleted one give back ports, tags and group."""
    with transaction.atomic():
        instance = _at_rest(uuid)
        if instance is None:
            return False
        if instance.deleted:
            allocation.release([uuid])
            InstanceTag.objects.filter(instance_uuid=uuid).delete()
            ServerGroupMember.objects.filter(instance_uuid=uuid).delete()
        elif instance.host:
            allocation.bind(uuid, instance.host)
            if instance.vm_state == states.ACTIVE:
                allocation.set_active(uuid)
    return True


def settle(uuid: str) -> bool:
    """Bring a server to rest that no operation moves: deleted if that was begun, else as its host last said."""
    with transaction.atomic():
        instance = Instance.objects.select_for_update().filter(uuid=uuid, deleted=False).first()
        is_moving = instance and (instance.task_state in states.TRANSIENT or instance.vm_state == states.BUILDING)
        if not is_moving or _running(uuid):
            return False
        if instance.task_state == states.DELETING:
            context = RequestContext(new_request_id(), "", project_id=instance.project_id)
            operations.begin(context, [instance], "delete", "delete")
            return True
        has_guest = bool(instance.host) and _has_guest(instance)
        reset(instance, states.ACTIVE if has_guest else states.ERROR)
        if not has_guest:
            InstanceFault.objects.create(instance_uuid=uuid, message=_LOST, details=f"host: {instance.host or 'none'}")
    return True


def _has_guest(instance: Instance) -> bool:
    """Tell whether its host's last word names the guest; whether it runs the host's next one says."""
    word = ComputeNode.objects.filter(host=instance.host).values_list("residue", flat=True).first() or {}
    return instance.vm_state != states.BUILDING and instance.uuid in word.get("domains", [])


def send_soon(uuid: str) -> bool:
    """Give an operation back to the reconciler that nobody sends again."""
    rows = Operation.objects.filter(instance_uuid=uuid, state=OperationState.RUNNING, resend_at=None)
    return bool(rows.update(resend_at=database_now()))


def close(uuid: str) -> bool:
    """Close operations and steps that are over and say nothing of their end."""
    now = database_now()
    ended = Operation.objects.filter(instance_uuid=uuid).exclude(state=OperationState.RUNNING)
    with transaction.atomic():
        count = ended.filter(finished_at=None).update(finished_at=now, updated_at=now)
        left = Step.objects.filter(operation__instance_uuid=uuid, state__in=_OPEN)
        for one in _running(uuid):
            left = left.exclude(operation=one, attempt__gte=one.attempt)
        count += left.update(state=StepState.SKIPPED, finished_at=now)
    return bool(count)


def remember(uuid: str) -> bool:
    """Record that a server was made, where nothing is known of that any more."""
    with transaction.atomic():
        instance = Instance.objects.select_for_update().filter(uuid=uuid, deleted=False).first()
        if instance is None:
            return False
        made = Operation.objects.filter(instance_uuid=uuid, action="create")
        if not made.exists():
            done_operations.record([instance], "create", graphs.SPAWN, database_now(), message=_NOT_KNOWN)
            return True
        return bool(made.filter(request_id="").update(request_id=new_request_id()))


def end_all_but_newest(uuid: str) -> bool:
    """End every operation of a server but the newest, which took their place."""
    newest, *others = _running(uuid) or [None]
    ended = [operations.fail(one, ErrorCode.SUPERSEDED, f"Superseded by {newest.action}.") for one in others]
    return any(ended)
