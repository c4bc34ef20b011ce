"""The bytes of images, in and out as streams, for clients."""

from typing import BinaryIO

from django.http import HttpResponseBase, StreamingHttpResponse

from cloud.core.endpoints import ApiRequest, Reply, endpoint
from cloud.core.errors import Forbidden, Invalid, UnsupportedMedia
from cloud.images import selectors
from cloud.images.services import store
from cloud.images.services.upload import upload as store_upload

OCTETS = "application/octet-stream"


@endpoint("image:upload_image", status=204, reads_stream=True)
def upload(request: ApiRequest, image_id: str) -> None:
    """Store an image's bytes as they come."""
    django = request.django
    if django.content_type != OCTETS:
        raise UnsupportedMedia(f"The content type of image data is {OCTETS}.")
    image = selectors.find_own(request.context, image_id)
    stream, expected = stream_of(django.META)
    store_upload(image, stream, expected)


def stream_of(meta: dict[str, object]) -> tuple[BinaryIO, int | None]:
    """Return the body as it comes from the socket, and its announced length."""
    source = meta["wsgi.input"]
    if "chunked" in str(meta.get("HTTP_TRANSFER_ENCODING", "")).lower():
        return source, None  # type: ignore[return-value]  # the server ends the stream after the last chunk
    text = str(meta.get("CONTENT_LENGTH") or "")
    if not text.isdigit():
        raise Invalid("Announce the length of the image data, or send it chunked.")
    return _Bounded(source, int(text)), int(text)  # type: ignore[return-value]


class _Bounded:
    """Reads no further than the announced length, so that the next request on the connection stays whole."""

    def __init__(self, source: object, length: int) -> None:
        self._source, self._left = source, length

    def read(self, size: int) -> bytes:
        data = self._source.read(min(size, self._left))  # type: ignore[attr-defined]
        self._left -= len(data)
        return data  # type: ignore[no-any-return]


@endpoint("image:download_image")
def download(request: ApiRequest, image_id: str) -> HttpResponseBase | Reply:
    """Send an image's bytes."""
    image = selectors.find(request.context, image_id)
    if image.status == "deactivated" and not request.context.is_admin:
        raise Forbidden("The requested image has been deactivated. Image data download is forbidden.")
    path = store.path_of(image.id)
    if image.status not in ("active", "deactivated") or not path.exists():
        return Reply(None, 204)
    response = StreamingHttpResponse(store.read(path), content_type=OCTETS)
    response.headers["Content-Length"] = str(image.size)
    response.headers["Content-MD5"] = str(image.checksum)
    return response
