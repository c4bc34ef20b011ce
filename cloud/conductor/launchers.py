"""What to send for an operation, from wherever its rows say that it stands.

The first canvas, the next one, and the one that a reconciler sends again all come from here, so that none of them
needs to know which of these it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from celery.canvas import Signature
from django.conf import settings

from cloud.compute import states
from cloud.compute.models import Operation, Step
from cloud.compute.selectors.group_hosts import member_hosts
from cloud.compute.services import graphs
from cloud.conductor.standings import Standing, images_of, servers_of, standings, with_servers
from cloud.conductor.steps import deleting as deleting_steps
from cloud.conductor.steps import failing, orders
from cloud.conductor.workflows import building, deleting, placing, rebooting, rebuilding, starting, stopping
from cloud.core import rpc
from contracts.compute import (
    DestroyServer,
    PlugVifs,
    PrepareImage,
    RebootServer,
    RebuildServer,
    ServerSpec,
    SpawnServer,
    StartServer,
    StopServer,
)
from contracts.errors import ErrorCode
from contracts.scheduling import RequestSpec, SelectDestinations


@rpc.register_workflow("build")
def build(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Place what has no host; build what has one."""
    found = standings(operation_ids)
    unplaced = [one for one in found if not one.operation.host]
    for one in unplaced:
        if one.operation.alternates:
            yield placing.claim_alternates(one.operation.id, one.operation.attempt, one.operation.alternates)
    yield from _place([one for one in unplaced if not one.operation.alternates])
    placed = [one for one in found if one.operation.host]
    images = images_of(placed)
    servers = servers_of(placed, images)
    for one in placed:
        if one.instance.image_ref and one.instance.image_ref not in images:
            failing.fail_build(one.operation, ErrorCode.IMAGE_UNAVAILABLE, detail="the image was deleted")
        else:
            yield _build(one, servers[one.instance.uuid])


def _place(found: Sequence[Standing]) -> Iterator[Signature]:
    """Servers of one request that stand alike share a decision of the scheduler."""
    alike: dict[tuple[str, int, tuple[str, ...]], list[Standing]] = defaultdict(list)
    for one in found:
        operation = one.operation
        alike[operation.request_id, operation.attempt, tuple(operation.hosts_tried)].append(one)
    for together in alike.values():
        for start in range(0, len(together), placing.MAX_OPERATIONS):
            yield placing.place_servers(_question(together[start : start + placing.MAX_OPERATIONS]))


def _question(together: Sequence[Standing]) -> SelectDestinations:
    first = together[0]
    wire = dict(first.instance.request_spec)
    wire["ignore_hosts"] = [*wire.get("ignore_hosts", []), *first.operation.hosts_tried]
    if wire.get("group_policy"):
        wire["group_hosts"] = member_hosts([first.instance.uuid])[first.instance.uuid]
    return SelectDestinations(
        operation_ids=[one.operation.id for one in together],
        spec=RequestSpec.from_wire(wire),
        attempt=first.operation.attempt,
        alternates=settings.SCHEDULER_ALTERNATES,
        request_id=first.operation.request_id,
    )


def _build(one: Standing, server: ServerSpec) -> Signature:
    operation = one.operation
    if server.image is None or graphs.PREPARE_IMAGE not in one.steps:
        return building.spawn_server(SpawnServer(server=server, **orders.fence(operation, graphs.SPAWN)))
    return building.prepare_host(
        PrepareImage(image=server.image, **orders.fence(operation, graphs.PREPARE_IMAGE)),
        PlugVifs(server=server, **orders.fence(operation, graphs.PLUG_VIFS)),
    )


@rpc.register_workflow("clear_host")
def clear_host(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Have a host that failed a build remove what is on it."""
    for one in standings(operation_ids):
        yield building.clear_host(DestroyServer(**orders.fence(one.operation, graphs.DESTROY)))


@rpc.register_workflow("delete")
def delete(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Have the host remove what is on it; an instance that never got a host is gone at once, without any message."""
    for one in standings(operation_ids):
        operation, host = one.operation, one.instance.host
        # The request may have read the instance before it was placed.
        if operation.host != host:
            Operation.objects.filter(id=operation.id).update(host=host)
            Step.objects.filter(operation=operation, name=graphs.DESTROY).update(host=host)
            operation.host = host
        deleting_steps.clear_other_host(operation)
        if not host:
            deleting_steps.complete(operation)
        elif deleting_steps.is_host_away(host):
            deleting_steps.complete(operation, note=deleting_steps.LOCAL_NOTE)
        else:
            yield deleting.delete_server(DestroyServer(**orders.fence(operation, graphs.DESTROY), is_final=True))


@rpc.register_workflow("stop")
def stop(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Press the power button, and cut the power of a guest that does not obey."""
    for one in standings(operation_ids):
        yield stopping.stop_server(StopServer(**orders.fence(one.operation, graphs.POWER)))


@rpc.register_workflow("start")
def start(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Start a guest from a definition made anew."""
    for one, server in with_servers(operation_ids):
        yield starting.start_server(StartServer(server=server, **orders.fence(one.operation, graphs.POWER)))


@rpc.register_workflow("reboot")
def reboot(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Reboot a guest, softly or hard."""
    for one, server in with_servers(operation_ids):
        is_hard = bool(one.operation.plan.get("hard"))
        fence = orders.fence(one.operation, graphs.POWER)
        yield rebooting.reboot_server(RebootServer(server=server, hard=is_hard, **fence))


@rpc.register_workflow("rebuild")
def rebuild(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Bring the image that the instance names now to its host, if it is not there yet; then make the disks anew."""
    for one, server in with_servers(operation_ids):
        if server.image is None:
            failing.fail(one.operation, ErrorCode.IMAGE_UNAVAILABLE, "the image was deleted")
        elif graphs.PREPARE_IMAGE in one.steps:
            fence = orders.fence(one.operation, graphs.PREPARE_IMAGE)
            yield rebuilding.fetch_image(PrepareImage(image=server.image, **fence))
        else:
            is_started = one.instance.vm_state != states.STOPPED
            fence = orders.fence(one.operation, graphs.REBUILD)
            yield rebuilding.rebuild_server(RebuildServer(server=server, is_started=is_started, **fence))
