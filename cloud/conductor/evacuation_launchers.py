"""What to send for an evacuation, and for its way back, from wherever its rows say that it stands."""

from collections.abc import Iterator, Sequence

from celery.canvas import Signature

from cloud.compute.models import Migration
from cloud.compute.services import graphs, moves
from cloud.conductor.move_launchers import question
from cloud.conductor.standings import Standing, images_of, server_of, standings
from cloud.conductor.steps import failing, orders
from cloud.conductor.workflows import evacuating
from cloud.core import rpc
from cloud.images.models import Image
from contracts.compute import DestroyServer, PrepareImage, RebuildServer
from contracts.errors import ErrorCode


@rpc.register_workflow("evacuate")
def evacuate(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Choose a host as for a new server, bring the image there, make the server of it, running or off as it was."""
    found = standings(operation_ids)
    images = images_of(found)
    for one in found:
        migration = moves.unfinished(one.instance.uuid)
        if migration is None:
            continue
        if one.instance.image_ref not in images:
            failing.fail(one.operation, ErrorCode.IMAGE_UNAVAILABLE, "the image was deleted")
            continue
        yield _next(one, migration, images)


def _next(one: Standing, migration: Migration, images: dict[str, Image]) -> Signature:
    operation = one.operation
    if graphs.PREPARE_IMAGE in one.steps:
        image = orders.image_spec(images[one.instance.image_ref], operation.host)
        return evacuating.fetch_image(PrepareImage(image=image, **orders.fence(operation, graphs.PREPARE_IMAGE)))
    if graphs.REBUILD in one.steps:
        is_started, fence = bool(operation.plan["is_started"]), orders.fence(operation, graphs.REBUILD)
        return evacuating.make_server(RebuildServer(server=server_of(one, images), is_started=is_started, **fence))
    return evacuating.place_evacuation(question(one, migration))


@rpc.register_workflow("undo_evacuation")
def undo_evacuation(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Have the host that failed remove what it may have made, before any other host is asked."""
    for one in standings(operation_ids):
        yield evacuating.leave_host(DestroyServer(**orders.fence(one.operation, graphs.DESTROY)))
