"""The conductor's tasks: decode, call one step, nothing else."""

import functools
from collections.abc import Callable
from typing import Any

import msgspec
from celery import shared_task

from cloud.compute.services import create_once, guest_passwords, host_feed, host_reports, tries
from cloud.conductor import background, presence, telling_networks
from cloud.conductor.reconcile import (
    hosts,
    leaving_ports,
    losses,
    operations,
    outbox,
    power_words,
    prune,
    reclaim,
    residue,
    restored,
    routers,
    sweep,
)
from cloud.conductor.reconcile.turns import one_at_a_time
from cloud.conductor.steps import (
    building,
    clearing,
    confirming,
    deleting,
    errors,
    evacuating,
    interfaces,
    moving,
    placing,
    power,
    rebuilding,
    restoring,
    reverting,
    snapshotting,
    soft_deleting,
    unevacuating,
)
from cloud.core.clock import DATABASE_AWAY
from contracts import conductor as names
from contracts.compute import (
    DisksSent,
    ImagePrepared,
    InterfacesSet,
    PowerChanged,
    ServerDestroyed,
    ServerSpawned,
    SnapshotSent,
)
from contracts.conductor import HostReport, PowerReport, Residue
from contracts.envelope import Outcome
from contracts.networks import NetworksApplied
from contracts.scheduling import Selected

Wire = dict[str, Any]
# Told in one line. What the database failed is sent again as soon as it answers (background.repeat_what_was_lost).
_throws = (msgspec.ValidationError, *DATABASE_AWAY)

__all__ = ["background"]  # imported for what it connects


def _step(name: str, **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Register a task that moves operations on: what begins there and never ends has taken its process with it."""

    def register(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with tries.counted():
                return function(*args, **kwargs)

        return shared_task(name=name, throws=_throws, **options)(run)

    return register


@_step(names.CLAIM)
def claim_destinations(selected: Wire, *, operation_ids: list[str], attempt: int) -> None:
    """Claim what the scheduler chose."""
    placing.claim_destinations(Selected.from_wire(selected), operation_ids, attempt)


@_step(names.BEGIN_SPAWN)
def begin_spawn(outcomes: list[Wire], *, operation_id: str, attempt: int) -> None:
    """Go on from a ready host to the guest."""
    building.begin_spawn([Outcome.from_wire(one) for one in outcomes], operation_id, attempt)


@shared_task(name=names.NOTE_OUTCOME, throws=_throws, ignore_result=False)
def note_outcome(outcome: Wire, *, operation_id: str, attempt: int) -> Wire:
    """Count an outcome among those of orders carried out side by side; the step that joins them judges it."""
    return Outcome.from_wire(outcome).to_wire()


@shared_task(name=names.TAKE_ANSWER, throws=_throws, ignore_result=False, resultrepr_maxsize=1)
def take_answer(outcome: Wire, *, operation_id: str, attempt: int) -> Wire:
    """Hand an outcome to the API, which waits for it."""
    return outcome


@_step(names.FINISH_SPAWN)
def finish_spawn(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a build."""
    building.finish_spawn(ServerSpawned.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_CLEARING)
def finish_clearing(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Go on from a host that failed a build to the next one."""
    clearing.finish_clearing(ServerDestroyed.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_DELETE)
def finish_delete(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a delete."""
    deleting.finish_delete(ServerDestroyed.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_POWER)
def finish_power(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a stop, start or reboot."""
    power.finish_power(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_SOFT_DELETE)
def finish_soft_delete(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a delete that keeps the server for a while."""
    soft_deleting.finish_soft_delete(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_RESTORE)
def finish_restore(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a restore."""
    restoring.finish_restore(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.BEGIN_REBUILD)
def begin_rebuild(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Go on from the image in the host's cache to the rebuild."""
    rebuilding.begin_rebuild(ImagePrepared.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_REBUILD)
def finish_rebuild(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a rebuild."""
    rebuilding.finish_rebuild(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.CLAIM_MOVE)
def claim_move(selected: Wire, *, operation_id: str, attempt: int) -> None:
    """Claim what the scheduler chose for a move."""
    moving.claim_move(Selected.from_wire(selected), operation_id, attempt)


@_step(names.BEGIN_SEND)
def begin_send(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Go on from a server set aside to its disks."""
    moving.begin_send(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.BEGIN_RECEIVE)
def begin_receive(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Go on from disks on their way to their new host."""
    moving.begin_receive(DisksSent.from_wire(outcome), operation_id, attempt)


@_step(names.BEGIN_LAND)
def begin_land(outcomes: list[Wire], *, operation_id: str, attempt: int) -> None:
    """Go on from a ready host to the guest."""
    moving.begin_land([Outcome.from_wire(one) for one in outcomes], operation_id, attempt)


@_step(names.FINISH_MOVE)
def finish_move(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a move."""
    moving.finish_move(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_CONFIRM)
def finish_confirm(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a confirmation."""
    confirming.finish_confirm(ServerDestroyed.from_wire(outcome), operation_id, attempt)


@_step(names.BEGIN_TAKE_BACK)
def begin_take_back(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Go on from a freed host to the old one."""
    reverting.begin_take_back(ServerDestroyed.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_REVERT)
def finish_revert(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a way back."""
    reverting.finish_revert(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_SNAPSHOT)
def finish_snapshot(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close a snapshot."""
    snapshotting.finish_snapshot(SnapshotSent.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_INTERFACES)
def finish_interfaces(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close the attaching or detaching of an interface."""
    interfaces.finish_interfaces(InterfacesSet.from_wire(outcome), operation_id, attempt)


@_step(names.CLAIM_EVACUATION)
def claim_evacuation(selected: Wire, *, operation_id: str, attempt: int) -> None:
    """Claim what the scheduler chose for an evacuation."""
    evacuating.claim_evacuation(Selected.from_wire(selected), operation_id, attempt)


@_step(names.BEGIN_EVACUATION)
def begin_evacuation(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Go on from the image on the new host to the server."""
    evacuating.begin_evacuation(ImagePrepared.from_wire(outcome), operation_id, attempt)


@_step(names.FINISH_EVACUATION)
def finish_evacuation(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Close an evacuation."""
    evacuating.finish_evacuation(PowerChanged.from_wire(outcome), operation_id, attempt)


@_step(names.LEAVE_HOST)
def leave_host(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Go on from a host that failed to evacuate a server to it, and has nothing of it any more."""
    unevacuating.leave_host(ServerDestroyed.from_wire(outcome), operation_id, attempt)


@shared_task(name=names.FAIL_OPERATION, throws=_throws)
def fail_operation(failed_task_id: str, *, operation_ids: list[str], attempt: int) -> None:
    """Hear that a step of the control plane raised."""
    errors.step_raised(failed_task_id, operation_ids, attempt)


@shared_task(name=HostReport.NAME, throws=_throws)
def report_host(report: Wire) -> None:
    """Take a host's heartbeat and inventory."""
    host_reports.report_host(HostReport.from_wire(report))


@shared_task(name=PowerReport.NAME, throws=_throws)
def report_power_states(report: Wire) -> None:
    """Take the power states that a host saw."""
    power_words.take([PowerReport.from_wire(report)])


@shared_task(name=Residue.NAME, throws=_throws)
def report_residue(report: Wire) -> None:
    """Take a host's word on what lies there."""
    residue.take(Residue.from_wire(report))


@shared_task(name=names.SEND_HOST_SNAPSHOT, throws=_throws)
def send_host_snapshot() -> None:
    """Tell the schedulers of all hosts."""
    host_feed.publish_all()


@shared_task(name=names.RECONCILE_OPERATIONS, throws=_throws)
@one_at_a_time(names.RECONCILE_OPERATIONS)
def reconcile_operations() -> None:
    """Send again what nobody moved on or what was lost, end what is past its deadline."""
    losses.repeat_after_loss()
    restored.note_turn()
    operations.reconcile()
    outbox.reconcile()


@shared_task(name=names.RECONCILE_HOSTS, throws=_throws)
@one_at_a_time(names.RECONCILE_HOSTS)
def reconcile_hosts() -> None:
    """Notice hosts that went down or came back, and schedulers that are there; tell hosts again what they missed."""
    hosts.reconcile()
    routers.reconcile()
    presence.note_schedulers()
    telling_networks.tell_again()


@shared_task(name=names.NOTE_NETWORKS, throws=_throws)
def note_networks(outcome: Wire, *, operation_id: str, attempt: int) -> None:
    """Note how far a host is with its networks."""
    telling_networks.note(NetworksApplied.from_wire(outcome))


@shared_task(name=names.RECLAIM, throws=_throws)
@one_at_a_time(names.RECLAIM)
def reclaim_deleted() -> None:
    """Delete for good what was kept long enough, and detach the ports that were deleted while that was not possible."""
    reclaim.reclaim()
    leaving_ports.detach()


@shared_task(name=names.SWEEP, throws=_throws)
@one_at_a_time(names.SWEEP)
def sweep_books() -> None:
    """Set right what is booked of servers that are not as booked."""
    sweep.sweep()


@shared_task(name=names.PRUNE, throws=_throws)
@one_at_a_time(names.PRUNE)
def prune_records() -> None:
    """Forget what is too old to matter."""
    prune.prune()
    create_once.prune()
    guest_passwords.prune()
