"""Bytes for hosts and from hosts, by signed link: images, snapshots, and disks on their way."""

from django.http import FileResponse, HttpResponseBase

from cloud.core.endpoints import ApiRequest, endpoint
from cloud.core.errors import NotFound
from cloud.core.host_links import Use, check
from cloud.images.api.files import OCTETS, stream_of
from cloud.images.models import Image
from cloud.images.services import store, transfers
from cloud.images.services.upload import upload


@endpoint("")
def fetch_image(request: ApiRequest, image_id: str) -> HttpResponseBase:
    """Send an image's bytes to the host that the link was made for."""
    check(f"image/blobs/{image_id}", Use.FETCH, request.query)
    image = Image.objects.filter(id=image_id, status="active").first()
    path = store.path_of(image_id)
    if image is None or not path.exists():
        raise NotFound
    return FileResponse(path.open("rb"), content_type=OCTETS)


@endpoint("", status=204, reads_stream=True)
def leave_image(request: ApiRequest, image_id: str) -> None:
    """Take an image's data from the host that the link was made for; an active image has them already."""
    check(f"image/blobs/{image_id}", Use.LEAVE, request.query)
    image = Image.objects.filter(id=image_id).first()
    if image is None:
        raise NotFound
    stream, expected = stream_of(request.django.META)
    if image.status == "active":
        while stream.read(store.CHUNK_BYTES):
            pass
    else:
        # One host has the link: an upload that is still under way was cut off, by the death of an API or by its own.
        upload(image, stream, expected, anew=True)


@endpoint("")
def fetch_disk(request: ApiRequest, transfer_id: str, name: str) -> HttpResponseBase:
    """Send a disk to the host that it goes to."""
    check(f"image/transfers/{transfer_id}/{name}", Use.FETCH, request.query)
    path = transfers.path_of(transfer_id, name)
    if not path.exists():
        raise NotFound
    return FileResponse(path.open("rb"), content_type=OCTETS)


@endpoint("", status=204, reads_stream=True)
def leave_disk(request: ApiRequest, transfer_id: str, name: str) -> None:
    """Take a disk from the host that it comes from."""
    check(f"image/transfers/{transfer_id}/{name}", Use.LEAVE, request.query)
    stream, expected = stream_of(request.django.META)
    transfers.receive(transfer_id, name, stream, expected)
