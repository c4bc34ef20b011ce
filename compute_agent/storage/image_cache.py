"""The images of one host: fetched once, checked before they are used, never changed afterwards."""

import fcntl
import hashlib
import http.client
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from compute_agent.errors import ImageCorrupt, ImageUnavailable
from compute_agent.files import full_disk_told
from contracts.compute import ImageSpec
from contracts.image_format import ImageFacts, UnsafeImage, inspect_header

_BLOCK_BYTES = 1024 * 1024
_ALGORITHMS = frozenset({"md5", "sha256", "sha512"})
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_CHECKSUM = re.compile(r"[0-9a-f]{32,128}")
_CHECKSUM_PREFIX = 16
_STALE_SECONDS = 3600.0
_UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


class ImageCache:
    """A folder of checked images, shared by the processes of a host.

    A file's name is `<image id>.<beginning of its checksum>`: whatever bears the name is whole and was checked.

    Args:
        folder: where the images lie; made when it is not there.
        timeout_seconds: how long the image's server may stay silent.
    """

    def __init__(self, folder: Path, timeout_seconds: float = 30.0) -> None:
        self._folder = folder
        self._timeout_seconds = timeout_seconds
        # No proxy of the environment: the image's server is part of the cloud. Redirects stay within HTTP.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ensure(self, image: ImageSpec) -> Path:
        """Return the image's path, fetching and checking it first unless it is there. Two callers fetch once.

        Raises:
            ImageUnavailable, ImageCorrupt, HostDiskFull
        """
        path = self._path(image)
        with full_disk_told(f"image {image.id}"):
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                return path
            with self._locked(path):
                if not path.exists():
                    self._fetch(image, path)
        return path

    def find(self, image: ImageSpec) -> Path:
        """Return the path of an image in the cache.

        Raises:
            ImageUnavailable: it is not there.
        """
        path = self._path(image)
        if not path.exists():
            raise ImageUnavailable(f"image {image.id} is not in the cache")
        return path

    def ids(self) -> list[str]:
        """Return the ids of the images in the cache."""
        if not self._folder.is_dir():
            return []
        return sorted({entry.name.split(".")[0] for entry in self._folder.iterdir() if _is_image(entry.name)})

    def sweep(self) -> None:
        """Remove what fetches that were killed left half-made; whoever still fetches writes, and holds the lock."""
        with full_disk_told("the image cache"):
            for draft in self._folder.glob(".*.part"):
                if draft.stat().st_mtime < time.time() - _STALE_SECONDS:
                    draft.unlink(missing_ok=True)

    def _path(self, image: ImageSpec) -> Path:
        """Return where the image belongs; nothing of an order reaches a path or a hash unchecked."""
        is_named = _ID.fullmatch(image.id) and _CHECKSUM.fullmatch(image.checksum)
        if not is_named or image.checksum_algorithm not in _ALGORITHMS:
            raise ImageUnavailable(f"image {image.id!r} has no usable name or {image.checksum_algorithm!r} checksum")
        return self._folder / f"{image.id}.{image.checksum[:_CHECKSUM_PREFIX]}"

    @contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Hold the image's lock file; it is left behind, because removing it would let two in."""
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _fetch(self, image: ImageSpec, path: Path) -> None:
        draft = path.with_name(f".{path.name}.part")
        try:
            with draft.open("w+b") as stream:
                self._download(image, stream)
                stream.flush()
                os.fsync(stream.fileno())
                stream.seek(0)
                check_header(image, stream)
            draft.chmod(0o444)
            draft.rename(path)
            _sync_folder(self._folder)
        finally:
            draft.unlink(missing_ok=True)

    def _download(self, image: ImageSpec, stream: BinaryIO) -> None:
        if not image.url.startswith(("http://", "https://")):
            raise ImageUnavailable(f"image {image.id} can only be fetched over HTTP")
        digest = hashlib.new(image.checksum_algorithm, usedforsecurity=False)
        received = 0
        for block in self._blocks(image):
            received += len(block)
            if received > image.size_bytes:
                raise ImageCorrupt(f"image {image.id} is longer than its {image.size_bytes} bytes")
            digest.update(block)
            stream.write(block)
        if received < image.size_bytes:
            raise ImageUnavailable(f"image {image.id} ended after {received} of {image.size_bytes} bytes")
        if digest.hexdigest() != image.checksum:
            raise ImageCorrupt(f"image {image.id} does not have its {image.checksum_algorithm} checksum")

    def _blocks(self, image: ImageSpec) -> Iterator[bytes]:
        try:
            with self._opener.open(image.url, timeout=self._timeout_seconds) as response:
                while block := response.read(_BLOCK_BYTES):
                    yield block
        except urllib.error.HTTPError as exc:
            exc.close()  # it is the response too, and holds its socket
            raise ImageUnavailable(f"image {image.id} could not be fetched: {exc}") from exc
        except _UNREACHABLE as exc:
            # The URL is signed: it stays out of the text.
            raise ImageUnavailable(f"image {image.id} could not be fetched: {exc}") from exc


def check_header(image: ImageSpec, stream: BinaryIO) -> ImageFacts:
    """Return what the image's header says.

    Raises:
        ImageCorrupt: it is not of the declared format, leads out of itself, or describes another size than declared.
    """
    try:
        facts = inspect_header(stream, image.disk_format)
    except UnsafeImage as exc:
        raise ImageCorrupt(f"image {image.id} was refused: {exc}") from exc
    if image.virtual_size_bytes and facts.virtual_size_bytes != image.virtual_size_bytes:
        raise ImageCorrupt(
            f"image {image.id} describes a disk of {facts.virtual_size_bytes} bytes, not {image.virtual_size_bytes}"
        )
    return facts


def _is_image(name: str) -> bool:
    return not name.startswith(".") and name.count(".") == 1


def _sync_folder(folder: Path) -> None:
    """Make a rename last: it is the folder that holds the name."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
