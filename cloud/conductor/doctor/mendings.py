"""What mends a difference that the doctor found: each a small verb that does no harm where nothing is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from cloud.compute import states
from cloud.compute.models import ComputeNode, Instance, InstanceTag, Operation, ServerGroupMember
from cloud.compute.models.operations import OperationState
from cloud.compute.services import host_feed, moves, operations, power, rebuild_server
from cloud.compute.services.delete_server import force_delete
from cloud.compute.services.reset_state import reset
from cloud.conductor import repairs, standings
from cloud.conductor.doctor import guest
from cloud.conductor.doctor.asking import ask, fence
from cloud.conductor.steps import failing
from cloud.conductor.steps.orders import claim_of
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.context import RequestContext, new_request_id
from cloud.core.errors import CloudError
from cloud.core.presentation import duration
from cloud.networks.services import allocation
from cloud.placement.services.recount import hold_exactly
from contracts.compute import COMMANDS, DestroyServer, DropAside, PlugVifs, ServerSpec, TakeBackServer
from contracts.envelope import Order
from contracts.errors import ErrorCode
from contracts.inspection import ServerInspected

_IDLE = "Nothing was to be done: no operation of the server is under way."
_UNSETTLED = frozenset({states.BUILDING, states.ERROR})


class Unmendable(CloudError):
    """Nothing was mended."""

    status = 409


@dataclass(frozen=True)
class Mending:
    """A verb: what it does with a server, saying so where nothing was to be done, and what it promises."""

    carry_out: Callable[[Instance, str], str | None]
    promise: str


def operator() -> RequestContext:
    """Return the context of whoever has a shell where the control plane runs."""
    return RequestContext(
        request_id=new_request_id(), user_id="", is_system=True, roles=frozenset({"admin"}), methods=("shell",)
    )


def _running(instance: Instance) -> list[Operation]:
    rows = Operation.objects.filter(instance_uuid=instance.uuid, state=OperationState.RUNNING)
    return list(rows.order_by("-started_at"))


def _resend(instance: Instance, _: str) -> str | None:
    running = _running(instance)
    for operation in running:
        Operation.objects.filter(pk=operation.pk).update(resend_at=database_now())
        rpc.launch_now(operation.workflow, [operation.id])
    return None if running else _IDLE


def _end(instance: Instance, _: str) -> str | None:
    running = _running(instance)
    if not running:
        return _IDLE
    newest, *others = running
    for operation in others:
        operations.fail(operation, ErrorCode.SUPERSEDED, f"Superseded by {newest.action}.")
    left = (newest.deadline - database_now()).total_seconds()
    if left <= 0:
        failing.fail(newest, ErrorCode.DEADLINE_EXCEEDED, "ended by an operator after its deadline")
    elif not others:
        return f"Nothing was to be done: {newest.action} still has {duration(left)}; `resend` sends its step again."
    return None


def _close(instance: Instance, _: str) -> str | None:
    return None if repairs.close(instance.uuid) else "Nothing was to be done: all that ended is closed."


def _remember(instance: Instance, _: str) -> str | None:
    return None if repairs.remember(instance.uuid) else "Nothing was to be done: it is known how it was made."


def _settle(instance: Instance, _: str) -> str | None:
    if _running(instance):
        raise Unmendable("An operation is under way, which will end the state; see `resend` and `end`.")
    if instance.task_state == states.DELETING:
        operations.begin(operator(), [instance], "delete", "delete")
        return None
    if instance.task_state == states.IDLE and instance.vm_state not in _UNSETTLED:
        return f"Nothing was to be done: the server is {instance.vm_state}, and nothing moves it."
    was_broken, has_guest = instance.vm_state == states.ERROR, _rest(instance)
    if has_guest or not was_broken:
        return None
    return f"The server stays in ERROR: {instance.host or 'no host'} does not say that it has a guest of it."


def _rest(instance: Instance) -> bool:
    """Let a server be as its host says; tell whether that says that there is a guest."""
    power_state = _power_state(instance)
    reset(instance, states.ERROR if power_state is None else states.ACTIVE)
    if power_state is not None:
        _take_word(instance, power_state)
    return power_state is not None


def _power_state(instance: Instance) -> int | None:
    """Return the guest's power state, None where there is none or nobody answers."""
    word = ask(instance, instance.host, []) if instance.host else None
    return word.seen.domain.power_state if word and word.seen and word.seen.domain else None


def _power(instance: Instance, _: str) -> None:
    power_state = _power_state(instance)
    if power_state is None:
        raise Unmendable(f"Host {instance.host} does not say how the guest is.")
    _take_word(instance, power_state)


def _take_word(instance: Instance, power_state: int) -> None:
    event = "seen_on" if power_state == guest.RUNNING else "seen_off"
    rows = Instance.objects.filter(pk=instance.pk, deleted=False)
    states.machine.fire(rows, event, updated_at=database_now())
    rows.filter(task_state=states.IDLE).update(power_state=power_state)


def _claim(instance: Instance, _: str) -> None:
    if moves.unfinished(instance.uuid):
        raise Unmendable("A move is open: confirm or revert it first.")
    wanted = [claim_of(instance, instance.host)] if instance.host and not instance.deleted else []
    with transaction.atomic():
        refused, hosts = hold_exactly(instance.uuid, wanted)
        host_feed.publish(hosts)
        if refused:
            transaction.set_rollback(True)
    if refused:
        raise Unmendable(f"Host {instance.host} has not enough left for the server: move others away, then try again.")


def _ports(instance: Instance, _: str) -> None:
    if instance.deleted or not instance.host:
        with transaction.atomic():
            allocation.release([instance.uuid])
            InstanceTag.objects.filter(instance_uuid=instance.uuid).delete()
            ServerGroupMember.objects.filter(instance_uuid=instance.uuid).delete()
        return
    allocation.allocate(instance.uuid, instance.project_id, instance.network_request, instance.host)
    if instance.vm_state == states.ACTIVE:
        allocation.set_active(instance.uuid)


def _plug(instance: Instance, _: str) -> None:
    _call(PlugVifs(server=_spec(instance), **_fence(PlugVifs, instance, instance.host, "plug_vifs")))


def _unplug(instance: Instance, _: str) -> None:
    fenced = _fence(PlugVifs, instance, instance.host, "plug_vifs")
    _call(PlugVifs(server=_spec(instance), is_exact=True, **fenced))


def _take_back(instance: Instance, _: str) -> None:
    is_started = instance.vm_state != states.STOPPED
    fenced = _fence(TakeBackServer, instance, instance.host, "take_back_server")
    _call(TakeBackServer(server=_spec(instance), is_started=is_started, **fenced))


def _define(instance: Instance, _: str) -> None:
    fenced = _fence(TakeBackServer, instance, instance.host, "take_back_server")
    _call(TakeBackServer(server=_spec(instance), is_started=False, **fenced))


def _restart(instance: Instance, _: str) -> None:
    power.reboot(operator(), instance, hard=True)


def _rebuild(instance: Instance, _: str) -> None:
    rebuild_server.rebuild(operator(), instance, instance.image_ref, {})


def _delete(instance: Instance, _: str) -> None:
    # Nothing is there that could be kept to be restored: its host would refuse to switch it off.
    force_delete(operator(), instance)


def _sweep(instance: Instance, host: str) -> None:
    migration = moves.unfinished(instance.uuid)
    if migration and host in (migration.source_compute, migration.dest_compute):
        raise Unmendable("A move is open that needs what is there: confirm or revert it first.")
    if not host:
        raise Unmendable("Name with --host the host that has something of it.")
    if host == instance.host and not instance.deleted:
        raise Unmendable(f"The server is at home on {host}: nothing of it is removed there.")
    if _running(instance):
        raise Unmendable("An operation is under way: wait for its end.")
    home = "" if instance.deleted else instance.host
    if home and not _seen(instance, home).disks and _has_any_disks(_seen(instance, host)):
        raise Unmendable(f"Host {home} does not have its disks: what is on {host} may be all there is. "
                         "See `adopt`, or delete the server.")
    _call(DestroyServer(**_fence(DestroyServer, instance, host, "remove_residue"), is_final=instance.deleted))


def _seen(instance: Instance, host: str) -> ServerInspected:
    """Return what a host has of the server; one that does not answer may have anything."""
    word = ask(instance, host, [])
    if word.seen is None:
        raise Unmendable(f"Host {host} does not say what it has: {word.silence}.")
    return word.seen


def _has_any_disks(seen: ServerInspected) -> bool:
    return bool(seen.disks) or seen.is_aside


def _adopt(instance: Instance, host: str) -> None:
    """Take a host's word that a server is there, as after the books were restored from a backup.

    Disks that are aside there are put back in their place.
    """
    if not host or host == instance.host or instance.deleted:
        raise Unmendable("Name the other host where the living server's disks are with --host.")
    if _running(instance) or moves.unfinished(instance.uuid):
        raise Unmendable("An operation is under way, or a move is open: end that first.")
    there = _seen(instance, host)
    if not _has_any_disks(there) or _is_at_home(instance, there):
        raise Unmendable(f"The server's disks are not on {host} alone.")
    with transaction.atomic():
        instance.host, instance.node = host, ComputeNode.objects.get(host=host).hypervisor_hostname
        instance.updated_at = database_now()
        instance.save(update_fields=["host", "node", "updated_at"])
        _claim(instance, "")
        _ports(instance, "")
    if not there.disks:
        _take_back(instance, "")
    _rest(instance)


def _is_at_home(instance: Instance, there: ServerInspected) -> bool:
    """Tell whether the server's own host has disks that are as good as those elsewhere."""
    if not instance.host:
        return False
    here = _seen(instance, instance.host)
    return bool(here.disks) or (here.is_aside and not there.disks)


def _drop_aside(instance: Instance, host: str) -> None:
    migration = moves.unfinished(instance.uuid)
    if migration and host == migration.source_compute:
        raise Unmendable("A move is open that may come back to these disks: confirm or revert it first.")
    _call(DropAside(**_fence(DropAside, instance, host or instance.host, "drop_aside")))


def _spec(instance: Instance) -> ServerSpec:
    standing = standings.Standing(Operation(host=instance.host), instance, frozenset())
    return standings.server_of(standing, standings.images_of([standing]))


def _fence(order: type[Order], instance: Instance, host: str, step: str) -> dict[str, Any]:
    return fence(instance, host, COMMANDS[order.NAME].timing.deadline_seconds, step)


def _call(order: Order) -> None:
    if not order.host:
        raise Unmendable("The server is on no host.")
    outcome = rpc.call(order, COMMANDS[order.NAME].timing.deadline_seconds)
    if outcome.is_failure:
        raise Unmendable(f"Host {order.host} could not: {outcome.error_code}: {outcome.detail}")


MENDINGS: dict[str, Mending] = {
    "resend": Mending(_resend, "send what its operation waits for once more, now"),
    "end": Mending(_end, "end what is past its deadline, and all operations but the newest"),
    "close": Mending(_close, "close steps and operations that ended without being closed"),
    "remember": Mending(_remember, "record that it was made, where nothing is known of that any more"),
    "settle": Mending(_settle, "bring a server to rest that no operation moves: as its host says, or to ERROR"),
    "power": Mending(_power, "take the host's word on whether the guest runs"),
    "claim": Mending(_claim, "hold of its host what it needs, and nothing else anywhere"),
    "ports": Mending(_ports, "bind its ports to its host; of a deleted one give back ports, tags and group"),
    "plug": Mending(_plug, "make its taps, firewall rules, leases and metadata anew"),
    "unplug": Mending(_unplug, "the same, and remove taps that are not its"),
    "define": Mending(_define, "define its guest anew without starting it"),
    "take-back": Mending(_take_back, "put its disks back that are aside"),
    "restart": Mending(_restart, "reboot it hard: the guest is defined anew with all that it should have"),
    "rebuild": Mending(_rebuild, "make its disks anew from its image; what was on them is lost"),
    "delete": Mending(_delete, "delete it for good"),
    "adopt": Mending(_adopt, "let it be where its disks are, after the books were restored from a backup"),
    "sweep": Mending(_sweep, "remove what another host has of it"),
    "drop-aside": Mending(_drop_aside, "remove its disks that are aside on a host"),
}  # fmt: skip
