"""Claims for servers: hosts, interfaces, states and operations change in one transaction, or nothing does."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, CharField, Field, JSONField, Value, When

from cloud.compute import reasons, states
from cloud.compute.models import ComputeNode, Instance, Operation, Service
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services import graphs, host_feed, operations, step_rows
from cloud.compute.services.host_states import COMPUTE, zones
from cloud.conductor.steps import failing, no_valid_host
from cloud.conductor.steps.affinity import GroupRules
from cloud.conductor.steps.orders import claim_of
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.errors import CloudError
from cloud.core.kept import Json, Kept, KeptUpdate
from cloud.core.together import Together
from cloud.networks.services import allocation, changes
from cloud.networks.services.allocating_together import Wanting, allocate_together
from cloud.placement.services import claims
from contracts.errors import ErrorCode
from contracts.scheduling import Selected

_log = logging.getLogger(__name__)
_RACES = 5


def _case(column: str, keys: Sequence[str], values: Sequence[object], field: Field | None = None) -> Case:
    output = field or CharField()
    pairs = zip(keys, values, strict=True)
    return Case(
        *(When(**{column: key}, then=Value(value, output_field=output)) for key, value in pairs), output_field=output
    )


_unplaced: Kept[Instance] = Kept(
    lambda uuids: Instance.objects.filter(
        uuid__in=uuids, host="", vm_state=states.BUILDING, task_state__in=states.BUILD_TASKS
    ).defer("user_data", "key_data", "metadata")
)
# Those of the hosts that take servers: a scheduler may not have heard yet of one that went down.
_ready: Kept[str] = Kept(
    lambda hosts: Service.objects.filter(
        binary=COMPUTE, host__in=hosts, is_up=True, forced_down=False, disabled=False
    ).values_list("host", flat=True)
)
_nodes: Kept[dict[str, Any]] = Kept(
    lambda hosts: ComputeNode.objects.filter(host__in=hosts).values("host", "hypervisor_hostname", "cached_images")
)
_place = KeptUpdate(
    lambda uuids, hosts, nodes, zones, now: states.machine.as_update(
        Instance.objects.filter(uuid__in=uuids, host="", deleted=False), "claim", updated_at=now,
        host=_case("uuid", uuids, hosts), node=_case("uuid", uuids, nodes),
        availability_zone=_case("uuid", uuids, zones),
    )
)
_go_on = KeptUpdate(
    lambda ids, attempt, hosts, alternates, traces, now, **due: (
        Operation.objects.filter(id__in=ids, state=OperationState.RUNNING, attempt=attempt),
        {
            "host": _case("id", ids, hosts), "alternates": _case("id", ids, alternates, JSONField()),
            "trace": _case("id", ids, traces, JSONField()), "updated_at": now, **due,
        },
    )
)


class _Raced(Exception):
    """An instance or operation changed between reading and writing; nothing was kept, read again."""


@dataclass
class _Server:
    """One server on its way to a host: `hosts` are those still to be tried, best first."""

    operation: Operation
    instance: Instance
    hosts: list[str]
    full: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.hosts[0]


@dataclass(frozen=True)
class _Decision:
    """What the scheduler answered to one question: the hosts of each operation, best first."""

    selected: Selected
    chosen: Mapping[str, list[str]]
    attempt: int
    asked: Sequence[str]

    def note_in(self, operation: Operation) -> None:
        """Add the scheduler's reasons to those that the operation keeps; they are written with its next change."""
        index = self.asked.index(operation.id)
        operation.trace = reasons.kept(operation.trace, self.attempt, self.selected, index)


def claim_destinations(selected: Selected, operation_ids: Sequence[str], attempt: int) -> None:
    """Claim for each operation the first of its hosts that still has room, and launch the building of each.

    Who finds none is scheduled again, or fails with the scheduler's reasons. Operations that were closed or moved on
    since the scheduler was asked are left alone. Decisions that come in at the same time are claimed together.
    """
    entered = operations.enter(operation_ids, attempt)
    hosts = dict(zip(operation_ids, selected.hosts, strict=False))
    chosen = {one.id: hosts[one.id] for one in entered if one.id in hosts}
    decision = _Decision(selected, chosen, attempt, operation_ids)
    if any(one.begun for one in entered):
        _claim_all([decision])  # something died of it before, and shall take nobody else along
    elif decision.chosen:
        _claim_together(decision)


def _claim_all(decisions: Sequence[_Decision]) -> None:
    by_attempt: dict[int, list[_Decision]] = defaultdict(list)
    for one in decisions:
        by_attempt[one.attempt].append(one)
    for attempt, alike in by_attempt.items():
        _claim_alike(alike, attempt)


_claim_together = Together(_claim_all)


def _claim_alike(decisions: Sequence[_Decision], attempt: int) -> None:
    for _ in range(_RACES):
        try:
            with transaction.atomic():
                _claim(decisions, attempt)
        except _Raced:
            continue
        return
    ids = [one for decision in decisions for one in decision.chosen]
    _log.error("claims of %s kept racing; the reconciler tries again", ids)


def _claim(decisions: Sequence[_Decision], attempt: int) -> None:
    chosen = {operation_id: hosts for one in decisions for operation_id, hosts in one.chosen.items()}
    asked = {operation_id: one for one in decisions for operation_id in one.chosen}
    # Before anything is read: who claimed the same servers at the same time is done when this returns.
    locked = claims.lock_hosts({host for hosts in chosen.values() for host in hosts})
    servers = _servers(chosen, attempt)
    for one in servers:
        asked[one.operation.id].note_in(one.operation)
    wanting = [one for one in servers if one.hosts]
    fitting = _fit(wanting, locked)
    # Before anything is launched: a scheduler that is asked again shall know why.
    host_feed.publish({one.host for one in fitting} | {host for one in servers for host in one.full})
    placed = _with_ports(fitting)
    if placed:
        _record(placed)
    for one in servers:
        if not chosen[one.operation.id]:
            no_valid_host.fail(one.operation, asked[one.operation.id].selected)
        elif not one.hosts:
            _schedule_again(one)


def _servers(chosen: dict[str, list[str]], attempt: int) -> list[_Server]:
    rows = [one for one in operations.running(list(chosen), attempt) if not one.host]
    instances = {one.uuid: one for one in _unplaced(uuids=[one.instance_uuid for one in rows])}
    return [
        _Server(one, instances[one.instance_uuid], [host for host in chosen[one.id] if host not in one.hosts_tried])
        for one in rows
        if one.instance_uuid in instances
    ]


def _fit(servers: list[_Server], locked: Mapping[str, int]) -> list[_Server]:
    """Claim for as many as find room, moving each from a full host to its next one; return those that hold a claim."""
    rules = GroupRules([one.instance for one in servers])
    ready = set(_ready(hosts=list({host for one in servers for host in one.hosts})))
    waiting, placed = list(servers), []
    while waiting:
        waiting = [one for one in waiting if _skip_forbidden(one, rules, ready)]
        if not waiting:
            break
        asked = [claim_of(one.instance, one.host) for one in waiting]
        refused = {one.consumer_uuid for one in claims.claim_what_fits(asked, locked)}
        placed += [one for one in waiting if one.instance.uuid not in refused]
        waiting = [one for one in waiting if one.instance.uuid in refused]
        for one in waiting:
            rules.leave(one.instance, one.host)
            one.full.append(one.hosts.pop(0))
    return placed


def _skip_forbidden(server: _Server, rules: GroupRules, ready: set[str]) -> bool:
    """Drop hosts that take no servers, or not this one; tell whether one is left, and count the server there."""
    while server.hosts and not (server.host in ready and rules.enter(server.instance, server.host)):
        server.full.append(server.hosts.pop(0))
    return bool(server.hosts)


def _with_ports(placed: list[_Server]) -> list[_Server]:
    """Give each server its interfaces; who cannot have them fails for good and gives its claim back."""
    known = allocation.known_to(one.instance.network_request for one in placed)
    wanting = [one for one in placed if one.instance.network_request.get("requests")]
    have_all = allocate_together([_wanting(one) for one in wanting], known)
    kept = []
    for one in placed:
        if have_all or not one.instance.network_request.get("requests"):
            kept.append(one)
            continue
        try:
            wanted = one.instance.network_request
            allocation.allocate(one.instance.uuid, one.instance.project_id, wanted, one.host, known)
        except CloudError as error:
            failing.fail_build(one.operation, error.kind, message=error.message)
        else:
            kept.append(one)
    changes.note(known.changed, is_urgent=False)
    return kept


def _wanting(server: _Server) -> Wanting:
    instance = server.instance
    return Wanting(instance.uuid, instance.project_id, instance.network_request, server.host)


def _record(placed: list[_Server]) -> None:
    now = database_now()
    hosts = {one.host for one in placed}
    nodes = {row["host"]: row for row in _nodes(hosts=list(hosts))}
    zone_of = zones(hosts)
    moved = _place(
        uuids=[one.instance.uuid for one in placed],
        hosts=[one.host for one in placed],
        nodes=[nodes[one.host]["hypervisor_hostname"] for one in placed],
        zones=[zone_of[one.host] for one in placed],
        now=now,
    )
    if moved != len(placed):
        raise _Raced
    ready = [one for one in placed if _needs_no_image(one, nodes[one.host]["cached_images"])]
    _advance(ready, graphs.SPAWN, now)
    _advance([one for one in placed if one not in ready], graphs.PREPARE_IMAGE, now)
    rpc.launch("build", [one.operation.id for one in placed])


def _needs_no_image(server: _Server, cached: list[str]) -> bool:
    return not server.instance.image_ref or server.instance.image_ref in cached


def _advance(servers: list[_Server], step: str, now: datetime) -> None:
    """Note the host in operations and steps; `step` is the one that is sent next."""
    if not servers:
        return
    found = [one.operation for one in servers]
    for one in servers:
        one.operation.host = one.host
    moved = _go_on(
        ids=[one.id for one in found],
        attempt=found[0].attempt,
        hosts=[one.host for one in found],
        alternates=[Json(one.hosts[1:]) for one in servers],
        traces=[Json(one.trace) for one in found],
        now=now,
        **operations.due(graphs.TIMINGS["build", step], now),
    )
    if moved != len(servers):
        raise _Raced
    is_ready = step == graphs.SPAWN
    prepare = StepState.SKIPPED if is_ready else StepState.SENT
    change = {
        graphs.SELECT: StepState.DONE, graphs.CLAIM: StepState.DONE,
        graphs.PREPARE_IMAGE: prepare, graphs.PLUG_VIFS: prepare,
        graphs.SPAWN: StepState.SENT if is_ready else StepState.PENDING,
    }  # fmt: skip
    step_rows.move(found, change, now, hosts=True)


def _schedule_again(server: _Server) -> None:
    """Every host filled up since the scheduler looked: ask it again, a bounded number of times."""
    operation, detail = server.operation, f"full: {', '.join(server.full)}"
    if operation.attempt >= settings.MAX_BUILD_ATTEMPTS + settings.MAX_CLAIM_CONFLICTS:
        failing.fail_build(operation, ErrorCode.CLAIM_CONFLICT, detail=detail)
    else:
        failing.next_attempt(operation, ErrorCode.CLAIM_CONFLICT, detail, alternates=[])
