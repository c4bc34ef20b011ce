"""The bytes of images on the file system: whole files only, each under its image's id."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from cloud.core.errors import TooLarge

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Received:
    """What came in: length and digests."""

    size: int
    md5: str
    sha512: str


def path_of(image_id: str) -> Path:
    """Return where an image's bytes lie. Ids are uuids, checked when they were made."""
    return settings.IMAGE_STORE / image_id


def draft_of(image_id: str) -> Path:
    """Return where an upload in progress lies."""
    return settings.IMAGE_STORE / f".{image_id}.part"


def receive(image_id: str, stream: BinaryIO) -> Received:
    """Write a stream to the image's draft while hashing it; memory use does not grow with it.

    Raises:
        TooLarge: more than settings.IMAGE_MAX_BYTES.
        OSError: the disk is full, or the client went away.
    """
    settings.IMAGE_STORE.mkdir(parents=True, exist_ok=True)
    # What a process that has hung since may still write of an earlier upload belongs to another file.
    drop_draft(image_id)
    md5, sha512, size = hashlib.md5(usedforsecurity=False), hashlib.sha512(), 0
    with draft_of(image_id).open("wb") as draft:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > settings.IMAGE_MAX_BYTES:
                raise TooLarge(f"An image may have {settings.IMAGE_MAX_BYTES} bytes at most.")
            md5.update(chunk)
            sha512.update(chunk)
            draft.write(chunk)
        draft.flush()
        os.fsync(draft.fileno())
    return Received(size, md5.hexdigest(), sha512.hexdigest())


def keep(image_id: str) -> None:
    """Make the draft the image."""
    draft_of(image_id).replace(path_of(image_id))


def drop_draft(image_id: str) -> None:
    """Remove what an upload left."""
    draft_of(image_id).unlink(missing_ok=True)


def drop(image_id: str) -> None:
    """Remove an image's bytes and what an upload left."""
    path_of(image_id).unlink(missing_ok=True)
    drop_draft(image_id)


def read(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces."""
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
