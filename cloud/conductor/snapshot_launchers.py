"""What to send for a snapshot."""

from collections.abc import Iterator, Sequence

from celery.canvas import Signature

from cloud.compute.services import graphs
from cloud.conductor.standings import standings
from cloud.conductor.steps import failing, orders
from cloud.conductor.workflows import snapshotting
from cloud.core import rpc
from cloud.images.models import Image
from cloud.images.services import blobs
from contracts.compute import SnapshotServer
from contracts.errors import ErrorCode

_LINK_SECONDS = 3600


@rpc.register_workflow("snapshot")
def snapshot(operation_ids: Sequence[str]) -> Iterator[Signature]:
    """Have the host copy the disk; an image that was deleted meanwhile needs no data."""
    for one in standings(operation_ids):
        operation = one.operation
        image = Image.objects.filter(id=operation.plan["image_id"]).first()
        if image is None:
            failing.fail(operation, ErrorCode.IMAGE_UNAVAILABLE, "the image was deleted")
            continue
        url = blobs.upload_url(image, operation.host, _LINK_SECONDS)
        fence = orders.fence(operation, graphs.SNAPSHOT)
        yield snapshotting.snapshot_server(SnapshotServer(image_id=image.id, upload_url=url, **fence))
