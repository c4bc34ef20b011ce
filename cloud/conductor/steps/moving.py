"""The steps of a move that follow the scheduler's and the hosts' answers."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import transaction

from cloud.compute import reasons, states
from cloud.compute.models import ComputeNode, Instance, Migration, Operation, Service
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.services import graphs, host_feed, moves, operations, releases, row_locks
from cloud.compute.services.host_states import COMPUTE, zones
from cloud.conductor.steps import failing
from cloud.conductor.steps.advancing import Advance, advance
from cloud.conductor.steps.affinity import GroupRules
from cloud.conductor.steps.hearing import heard
from cloud.conductor.steps.no_valid_host import explain
from cloud.conductor.steps.undoing import ask_again, refuse
from cloud.core.clock import database_now
from cloud.images.services import transfers
from cloud.networks.services import allocation
from cloud.placement.errors import ClaimConflict
from cloud.placement.services import claims
from cloud.placement.services.claims import Claim
from cloud.placement.services.providers import DISK_GB, MEMORY_MB, VCPU
from contracts.compute import DisksSent, PowerChanged
from contracts.envelope import Outcome
from contracts.errors import ErrorCode
from contracts.scheduling import RequestSpec, Selected

# From the host that was claimed to what changes then.
Change = Callable[[str], Advance]


def claim_move(selected: Selected, operation_id: str, attempt: int) -> None:
    """Claim the first of the chosen hosts that still has room, beside what the server holds where it is."""
    for operation in operations.enter([operation_id], attempt):
        migration = moves.unfinished(operation.instance_uuid)
        if migration is None or migration.dest_compute:
            continue
        chosen = selected.hosts[0] if selected.hosts else []
        operation.trace = reasons.kept(operation.trace, attempt, selected, 0)
        if not chosen:
            refuse(operation, ErrorCode.NO_VALID_HOST, explain(selected), selected.nearest_miss)
        elif not claim_first(operation, migration, chosen, _claimed):
            schedule_again(operation, chosen)


def _claimed(host: str) -> Advance:
    return Advance((graphs.SELECT, graphs.CLAIM), (graphs.SET_ASIDE,), "move_claimed")


def claim_first(operation: Operation, migration: Migration, chosen: Sequence[str], change: Change) -> bool:
    """Claim the first host that has room and may have the server, and go on; tell whether there was one."""
    with transaction.atomic():
        instance = Instance.objects.get(uuid=operation.instance_uuid)
        claims.lock_hosts({migration.source_compute, *chosen})
        row_locks.hold(operation)
        rules = GroupRules([instance])
        if migration.source_compute not in chosen:
            rules.leave(instance, instance.host)
        too_old = releases.too_old(operation.workflow, chosen)
        for host in chosen:
            if host in too_old or not _is_ready(host) or not _is_allowed(rules, instance, host):
                continue
            if _hold(operation, migration, host, replace(change(host), operation={"trace": operation.trace})):
                return True
            rules.leave(instance, host)
        return False


def _is_ready(host: str) -> bool:
    rows = Service.objects.filter(binary=COMPUTE, host=host, is_up=True, forced_down=False, disabled=False)
    return rows.exists()


def _is_allowed(rules: GroupRules, instance: Instance, host: str) -> bool:
    return host == instance.host or rules.enter(instance, host)


def _hold(operation: Operation, migration: Migration, host: str, change: Advance) -> bool:
    """Let the server hold the host as well as its old place, and go on; tell whether there was room."""
    node = ComputeNode.objects.filter(host=host).values_list("hypervisor_hostname", flat=True).first()
    try:
        with transaction.atomic():
            claims.transfer(migration.instance_uuid, migration.uuid)
            claims.claim([_claim(migration, host)])
            moves.set_status(migration, MigrationStatus.MIGRATING, dest_compute=host, dest_node=node or "")
            host_feed.publish([host])
            if not advance(operation, change):
                transaction.set_rollback(True)
    except ClaimConflict:
        return False
    return True


def _claim(migration: Migration, host: str) -> Claim:
    spec = RequestSpec.from_wire(migration.after["request_spec"])
    amounts = {VCPU: spec.vcpus, MEMORY_MB: spec.memory_mb, DISK_GB: spec.disk_gb}
    return Claim(migration.instance_uuid, host, amounts, migration.project_id, migration.user_id)


def schedule_again(operation: Operation, full: Sequence[str]) -> None:
    """Every chosen host filled up since the scheduler looked: ask it again, a bounded number of times."""
    detail = f"full: {', '.join(full)}"
    if operation.attempt >= settings.MAX_BUILD_ATTEMPTS + settings.MAX_CLAIM_CONFLICTS:
        failing.fail(operation, ErrorCode.CLAIM_CONFLICT, detail)
    else:
        ask_again(operation, detail)


def begin_send(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """The guest is off and aside: its disks go on their way."""
    for operation in heard([outcome], operation_id, attempt):
        changes = {"power_state": outcome.power_state}
        advance(operation, Advance((graphs.SET_ASIDE,), (graphs.SEND_DISKS,), instance=changes))


def begin_receive(outcome: DisksSent, operation_id: str, attempt: int) -> None:
    """The disks lie in the store: from now on the server is its new host's."""
    for operation in heard([outcome], operation_id, attempt):
        migration = moves.unfinished(operation.instance_uuid)
        if migration is None:
            continue
        sent = [one.to_wire() for one in outcome.disks]
        if sorted(one.name for one in outcome.disks) != sorted(moves.travelling(migration)):
            failing.fail(operation, ErrorCode.TRANSFER_FAILED, "the host sent other disks than it was told")
            continue
        with transaction.atomic():
            row_locks.hold(operation)
            moves.set_status(migration, MigrationStatus.POST_MIGRATING, disks=sent)
            allocation.bind(operation.instance_uuid, migration.dest_compute)
            if not advance(operation, _arrival(migration)):
                transaction.set_rollback(True)


def _arrival(migration: Migration) -> Advance:
    sent = (graphs.RECEIVE_DISKS, graphs.PLUG_VIFS)
    return Advance((graphs.SEND_DISKS,), sent, "move_sent", place_after(migration), migration.dest_compute)


def place_after(migration: Migration) -> dict[str, object]:
    """Return the columns of a server that is its new host's."""
    host = migration.dest_compute
    return {"host": host, "node": migration.dest_node, "availability_zone": zones([host])[host], **migration.after}


def begin_land(outcomes: Sequence[Outcome], operation_id: str, attempt: int) -> None:
    """The new host has disks and interfaces: the guest is made of them."""
    for operation in heard(outcomes, operation_id, attempt):
        advance(operation, Advance((graphs.RECEIVE_DISKS, graphs.PLUG_VIFS), (graphs.LAND,)))


def finish_move(outcome: PowerChanged, operation_id: str, attempt: int) -> None:
    """The server is there, and waits for its owner's word."""
    for operation in heard([outcome], operation_id, attempt):
        migration = moves.unfinished(operation.instance_uuid)
        if migration is None:
            continue
        with transaction.atomic():
            now = database_now()
            rows = Instance.objects.filter(uuid=operation.instance_uuid, host=operation.host, deleted=False)
            changes = {"power_state": outcome.power_state, "launched_at": now, "updated_at": now, "progress": 100}
            if not (states.machine.fire(rows, "moved", **changes) and operations.finish(operation)):
                transaction.set_rollback(True)
                continue
            moves.set_status(migration, MigrationStatus.FINISHED)
            allocation.set_active(operation.instance_uuid)
        transfers.drop(migration.uuid)
