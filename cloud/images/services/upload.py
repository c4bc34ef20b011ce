"""Taking in an image's bytes: queued -> saving -> active, or back to queued with nothing kept."""

import logging
from typing import BinaryIO

from django.utils import timezone

from cloud.core.errors import Invalid
from cloud.images.errors import HostileImage, ImageNotFound, Truncated, UploadConflict
from cloud.images.models import Image
from cloud.images.selectors import BOOTABLE_FORMATS
from cloud.images.services import store
from cloud.images.services.store import Received
from contracts.image_format import HEADER_BYTES, UnsafeImage, inspect_header, recognise

_log = logging.getLogger(__name__)


def upload(image: Image, stream: BinaryIO, expected_bytes: int | None, *, anew: bool = False) -> None:
    """Store an image's bytes.

    Args:
        image: a queued image.
        stream: the bytes, read to their end.
        expected_bytes: what the client announced, or None.
        anew: an upload that is under way was cut off, for whoever sends has begun again.

    Raises:
        Invalid: disk or container format are not set.
        UploadConflict: the image has data already, or another upload is under way.
        Truncated: fewer bytes came than were announced.
        HostileImage: the bytes would make a host read something else than this image.
    """
    if not image.disk_format or not image.container_format:
        raise Invalid("Properties disk_format, container_format must be set prior to saving data.")
    _begin(image, ("queued", "saving") if anew else ("queued",))
    try:
        received = store.receive(image.id, stream)
        if expected_bytes is not None and received.size != expected_bytes:
            raise Truncated(received=received.size, expected=expected_bytes)
        virtual_size = _inspect(image, received)
        store.keep(image.id)
    except BaseException:
        store.drop_draft(image.id)
        Image.objects.filter(pk=image.pk, status="saving").update(status="queued", updated_at=timezone.now())
        raise
    _activate(image, received, virtual_size)


def _begin(image: Image, before: tuple[str, ...]) -> None:
    moved = Image.objects.filter(pk=image.pk, status__in=before).update(status="saving", updated_at=timezone.now())
    if not moved:
        status = Image.objects.filter(pk=image.pk).values_list("status", flat=True).first()
        raise UploadConflict(status=status)


def _inspect(image: Image, received: Received) -> int | None:
    """Return the size of the disk that the image describes, None where it describes none that can be booted.

    Bytes that are recognised as something else than declared, or that lead out of the image, are refused. Bytes that
    are nothing known are their owner's business: they are kept, and never booted.
    """
    if image.disk_format not in BOOTABLE_FORMATS:
        return None
    with store.draft_of(image.id).open("rb") as draft:
        header = draft.read(HEADER_BYTES)
        draft.seek(0)
        try:
            return inspect_header(draft, image.disk_format, size_bytes=received.size).virtual_size_bytes
        except UnsafeImage as refusal:
            if recognise(header):
                _log.warning("upload of image %s refused: %s", image.id, refusal)
                raise HostileImage(reason=str(refusal)) from refusal
            _log.info("image %s is kept but cannot be booted: %s", image.id, refusal)
            return None


def _activate(image: Image, received: Received, virtual_size: int | None) -> None:
    done = Image.objects.filter(pk=image.pk, status="saving").update(
        status="active", size=received.size, virtual_size=virtual_size, checksum=received.md5, os_hash_algo="sha512",
        os_hash_value=received.sha512, updated_at=timezone.now(),
    )
    if not done:
        # It was deleted while its bytes came in.
        store.drop(image.id)
        raise ImageNotFound(image_id=image.id)
