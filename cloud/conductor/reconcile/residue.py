"""What lies on a host and should not: reported first, removed when it was seen twice and is proven dead."""

import logging
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from cloud.compute import states
from cloud.compute.models import ComputeNode, Instance, Migration, Operation
from cloud.compute.models.migrations import UNFINISHED
from cloud.compute.models.operations import OperationState
from cloud.compute.services import fencing, host_reports
from cloud.compute.services.graphs import TIMINGS
from cloud.conductor.reconcile import lost_guests, restored
from cloud.core import rpc
from cloud.core.clock import database_now
from contracts.compute import REMOVE_RESIDUE, DestroyServer, DropAside
from contracts.conductor import Residue

_log = logging.getLogger(__name__)
_AT_ONCE = 50


def take(residue: Residue) -> None:
    """Keep a host's word on what lies there, and order the removal of what is proven dead."""
    rows = ComputeNode.objects.filter(host=residue.host).values_list("residue", "residue_at")
    before, said_at = rows.first() or ({}, None)
    if not host_reports.store_residue(residue):
        return
    if said_at is not None:
        domains, disks = ({*getattr(residue, kind), *before.get(kind, [])} for kind in ("domains", "disks"))
        lost_guests.mark(residue.host, domains, disks, said_at)
    everything = {*_instances(residue.to_wire()), *residue.asides}
    fencing.note_gone(residue.host, everything, datetime.fromtimestamp(residue.reported_at, UTC))
    clear_evacuated(residue.host, everything)
    if said_at is not None:
        _remove(residue, before, said_at)


def has_suspects(residue: Residue, before: Mapping[str, Any], living: Collection[str]) -> bool:
    """Tell whether the host's last two words name anything that may have to be removed.

    Args:
        residue: the last one.
        before: the one before it.
        living: the instances that are placed on the host.
    """
    seen_twice = _instances(residue.to_wire()) & _instances(before)
    return bool(set(residue.asides) & set(before.get("asides", ())) or seen_twice - set(living))


def _remove(residue: Residue, before: dict[str, Any], said_at: datetime) -> None:
    """Order the removal of what the host's last two words name and nobody can miss."""
    asides = set(residue.asides) & set(before.get("asides", []))
    with_bytes = {*residue.domains, *residue.disks}
    seen_twice = _instances(residue.to_wire()) & _instances(before)
    if not (asides or seen_twice) or restored.is_older():
        return
    whole = _whole(residue.to_wire()) & _whole(before)
    for instance_uuid in sorted(_dead_asides(residue.host, asides, whole, said_at))[:_AT_ONCE]:
        _log.warning("host %s still has %s set aside, which does not come back", residue.host, instance_uuid)
        rpc.cast(DropAside(**_fence(residue.host, instance_uuid)))
    # Taps alone hold nothing that could be lost.
    at_home = _at_home(seen_twice & with_bytes, said_at) | (seen_twice - with_bytes)
    for instance_uuid, is_final in list(dead_on(residue.host, seen_twice, at_home).items())[:_AT_ONCE]:
        _log.warning("host %s still holds %s, which is not its any more: ordering removal", residue.host, instance_uuid)
        rpc.cast(_removal(residue.host, instance_uuid, is_final=is_final))


def clear_evacuated(host: str, seen: set[str]) -> None:
    """Have a host that is back remove at once what was evacuated from it: there must never be two of a server."""
    left = fencing.left_behind(host, seen)
    if not left or restored.is_older():
        return
    for instance_uuid, is_final in list(left.items())[:_AT_ONCE]:
        _log.warning("host %s is back with %s, which was evacuated: ordering removal", host, instance_uuid)
        rpc.cast(_removal(host, instance_uuid, is_final=is_final))


def _instances(word: Mapping[str, Any]) -> set[str]:
    """Return the instances that have anything on the host; one whose move never arrived may have taps alone."""
    return {uuid for kind in ("domains", "disks", "plugged") for uuid in word.get(kind, [])}


def _whole(word: dict[str, Any]) -> set[str]:
    """Return the instances that have a guest and its disks on the host: they need nothing that is aside."""
    return set(word.get("domains", [])) & set(word.get("disks", []))


def _dead_asides(host: str, asides: set[str], whole: set[str], said_at: datetime) -> set[str]:
    """Return those instances whose disks are aside on the host and are not wanted back.

    Also those that live beside them: on the same host again, after an operator's word cut a move short.
    """
    rows = Instance.objects.filter(uuid__in=asides & whole, host=host, deleted=False, task_state=states.IDLE)
    beside = set(rows.exclude(vm_state=states.ERROR).values_list("uuid", flat=True))
    moving = Migration.objects.filter(instance_uuid__in=beside, status__in=UNFINISHED, source_compute=host)
    dead = dead_on(host, asides, _at_home(asides, said_at))
    return {*dead, *(beside - set(moving.values_list("instance_uuid", flat=True)))}


def dead_on(host: str, uuids: set[str], at_home: set[str]) -> dict[str, bool]:
    """Return those instances that we know, that have no business on the host, and whether they are deleted.

    Nothing is dead while an operation runs on it. What we never heard of is not ours to remove, nor is what may be all
    that there is of a living server: the books may be older than its last move.

    Args:
        host: where they are.
        uuids: those in question.
        at_home: those of which nothing is lost with what is here, if they live elsewhere.
    """
    if not uuids:
        return {}
    rows = Instance.objects.filter(uuid__in=uuids).values_list("uuid", "host", "deleted", "vm_state")
    dead = {
        uuid: deleted for uuid, on, deleted, vm_state in rows
        if deleted or (on != host and uuid in at_home) or (not on and vm_state == states.ERROR)
    }
    # What is aside there may be wanted back, and DestroyServer would take it.
    moving = Migration.objects.filter(instance_uuid__in=dead, status__in=UNFINISHED, source_compute=host)
    for instance_uuid in moving.values_list("instance_uuid", flat=True):
        dead.pop(instance_uuid, None)
    busy = Operation.objects.filter(instance_uuid__in=dead, state=OperationState.RUNNING)
    for instance_uuid in busy.values_list("instance_uuid", flat=True):
        dead.pop(instance_uuid, None)
    return dead


def _at_home(uuids: set[str], since: datetime) -> set[str]:
    """Return those instances whose own hosts have said since then that they have their disks."""
    homes = dict(Instance.objects.filter(uuid__in=uuids, deleted=False).exclude(host="").values_list("uuid", "host"))
    nodes = ComputeNode.objects.filter(host__in=set(homes.values()), residue_at__gte=since)
    said = {host: set(word.get("disks", [])) for host, word in nodes.values_list("host", "residue")}
    return {uuid for uuid, home in homes.items() if uuid in said.get(home, ())}


def _removal(host: str, instance_uuid: str, *, is_final: bool) -> DestroyServer:
    return DestroyServer(**_fence(host, instance_uuid), is_final=is_final)


def _fence(host: str, instance_uuid: str) -> dict[str, Any]:
    lasting, now = TIMINGS["delete", "destroy_server"].deadline_seconds, database_now().timestamp()
    return {
        # Each order is an operation of its own for the host, so that it is not taken for one carried out before.
        "operation_id": str(uuid.uuid4()),
        "step": REMOVE_RESIDUE,
        "instance_uuid": instance_uuid,
        "host": host,
        "attempt": 1,
        "not_after": now + lasting,
        # What is made there later than this was decided is not meant.
        "begun_at": now,
    }
