"""Disks on their way from one host to another: left here by the one, fetched by the other, dropped when they arrived.

Hosts do not know each other. A disk that lies here outlives the host that it came from.
"""

import os
import shutil
import uuid
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from cloud.core.errors import TooLarge
from cloud.core.host_links import Use, link
from cloud.images.errors import Truncated
from cloud.images.services.store import CHUNK_BYTES


def upload_url(transfer_id: str, name: str, host: str, lifetime_seconds: int) -> str:
    """Return the link under which `host` may leave a disk."""
    return link(f"image/transfers/{transfer_id}/{name}", Use.LEAVE, host, lifetime_seconds)


def download_url(transfer_id: str, name: str, host: str, lifetime_seconds: int) -> str:
    """Return the link under which `host` may fetch it."""
    return link(f"image/transfers/{transfer_id}/{name}", Use.FETCH, host, lifetime_seconds)


def path_of(transfer_id: str, name: str) -> Path:
    """Return where a disk lies. Both names were checked, or are of a link that we signed."""
    return settings.TRANSFER_STORE / transfer_id / name


def receive(transfer_id: str, name: str, stream: BinaryIO, expected_bytes: int | None) -> None:
    """Store a disk, whole or not at all; one that lies there is replaced.

    Raises:
        TooLarge: more than settings.IMAGE_MAX_BYTES.
        Truncated: fewer bytes came than were announced.
        OSError: the disk is full, or the host went away.
    """
    path = path_of(transfer_id, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft, size = path.with_name(f"{name}.{uuid.uuid4().hex}.part"), 0
    try:
        with draft.open("wb") as file:
            while chunk := stream.read(CHUNK_BYTES):
                size += len(chunk)
                if size > settings.IMAGE_MAX_BYTES:
                    raise TooLarge(f"A disk on its way may have {settings.IMAGE_MAX_BYTES} bytes at most.")
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if expected_bytes is not None and size != expected_bytes:
            raise Truncated(received=size, expected=expected_bytes)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def drop(transfer_id: str) -> None:
    """Remove what lies here of a transfer. Nothing is a success."""
    shutil.rmtree(settings.TRANSFER_STORE / transfer_id, ignore_errors=True)


def ids() -> list[str]:
    """Return the transfers of which something lies here."""
    if not settings.TRANSFER_STORE.is_dir():
        return []
    return sorted(entry.name for entry in settings.TRANSFER_STORE.iterdir() if entry.is_dir())
