"""What to send for a move, its confirmation and its way back, from wherever its rows say that it stands."""

from collections.abc import Iterator, Sequence

from celery.canvas import Signature
from django.conf import settings

from cloud.compute import states
from cloud.compute.models import Migration
from cloud.compute.selectors.group_hosts import member_hosts
from cloud.compute.services import graphs, moves
from cloud.conductor.standings import Standing, standings, with_servers
from cloud.conductor.steps import confirming as confirming_steps
from cloud.conductor.steps import orders
from cloud.conductor.steps import reverting as reverting_steps
from cloud.conductor.steps.deleting import is_host_away
from cloud.conductor.workflows import confirming, moving, reverting
from cloud.core import rpc
from cloud.images.services import transfers
from contracts.compute import (
    DiskLink,
    DiskSent,
    DropAside,
    LandServer,
    PlugVifs,
    ReceiveDisks,
    SendDisks,
    ServerSpec,
    SetAsideServer,
    TakeBackServer,
    VacateServer,
)
from contracts.scheduling import RequestSpec, SelectDestinations

_LINK_SECONDS = 3600


@rpc.register_workflow("resize")
def resize(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Choose a host, set aside, send, receive, land."""
    for one, server in with_servers(operation_ids):
        migration = moves.unfinished(one.instance.uuid)
        if migration is not None:
            yield _next(one, server, migration)


def _next(one: Standing, server: ServerSpec, migration: Migration) -> Signature:
    operation, steps = one.operation, one.steps
    if graphs.SET_ASIDE in steps:
        return moving.set_aside(SetAsideServer(**orders.fence(operation, graphs.SET_ASIDE)))
    if graphs.SEND_DISKS in steps:
        return moving.send_disks(
            SendDisks(disks=_outbound(migration), **orders.fence(operation, graphs.SEND_DISKS))
        )
    if graphs.RECEIVE_DISKS in steps:
        return moving.prepare_host(
            ReceiveDisks(disks=_inbound(migration), **orders.fence(operation, graphs.RECEIVE_DISKS)),
            PlugVifs(server=server, **orders.fence(operation, graphs.PLUG_VIFS)),
        )
    if graphs.LAND in steps:
        is_started = migration.vm_state == states.ACTIVE
        names, fence = moves.travelling(migration), orders.fence(operation, graphs.LAND)
        return moving.land(LandServer(server=server, disk_names=names, is_started=is_started, **fence))
    return moving.place_move(question(one, migration))


def _outbound(migration: Migration) -> list[DiskLink]:
    return [
        DiskLink(name=name, url=transfers.upload_url(migration.uuid, name, migration.source_compute, _LINK_SECONDS))
        for name in moves.travelling(migration)
    ]


def _inbound(migration: Migration) -> list[DiskLink]:
    return [
        DiskLink(
            name=sent.name, size_bytes=sent.size_bytes, sha256=sent.sha256,
            url=transfers.download_url(migration.uuid, sent.name, migration.dest_compute, _LINK_SECONDS),
        )
        for sent in map(DiskSent.from_wire, migration.disks)
    ]  # fmt: skip


def question(one: Standing, migration: Migration) -> SelectDestinations:
    """Return what the scheduler is asked for a move."""
    spec, plan = RequestSpec.from_wire(migration.after["request_spec"]), one.operation.plan
    hosts = member_hosts([one.instance.uuid])[one.instance.uuid] if spec.group_policy else []
    return SelectDestinations(
        operation_ids=[one.operation.id],
        spec=moves.wanted(spec, plan, hosts, one.operation.hosts_tried),
        attempt=one.operation.attempt,
        alternates=settings.SCHEDULER_ALTERNATES,
        request_id=one.operation.request_id,
    )


@rpc.register_workflow("confirm_resize")
def confirm_resize(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Have the old host remove what it had set aside; a host that is away does so when it is back."""
    for one in standings(operation_ids):
        if is_host_away(one.operation.host):
            confirming_steps.complete(one.operation)
        else:
            yield confirming.drop_aside(DropAside(**orders.fence(one.operation, graphs.DROP_ASIDE)))


@rpc.register_workflow("revert_resize")
def revert_resize(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Free the new host, then have the old one take the server back; a host that is known to be dead is free."""
    for one, server in with_servers(operation_ids):
        migration, operation = moves.unfinished(one.instance.uuid), one.operation
        if migration is None:
            continue
        if graphs.VACATE not in one.steps:
            is_started = migration.vm_state == states.ACTIVE
            fence = orders.fence(operation, graphs.TAKE_BACK)
            yield reverting.take_back(TakeBackServer(server=server, is_started=is_started, **fence))
        elif not reverting_steps.leave_new_host(operation):
            yield reverting.vacate(VacateServer(**orders.fence(operation, graphs.VACATE)))
