"""Files to and from the control plane's store, over HTTP, by signed links."""

import hashlib
import http.client
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from compute_agent.errors import TransferFailed
from contracts.compute import DiskLink

log = logging.getLogger(__name__)

Done = TypeVar("Done")
# A store that was killed is there again long before the last of these.
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
_BLOCK_BYTES = 1024 * 1024
_SERVER_ERROR = 500
_UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError)


class _Away(TransferFailed):
    """The store is not there now, or cannot do it now."""


@dataclass(frozen=True)
class Sent:
    """What was sent: length and digest."""

    size_bytes: int
    sha256: str


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = _BLOCK_BYTES) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        return data


class Transfers:
    """Sends and fetches whole files, from the beginning again where the other side went away meanwhile.

    Args:
        timeout_seconds: how long the other side may stay silent.
        pauses: before each further try, in seconds.
    """

    def __init__(self, timeout_seconds: float, pauses: Iterable[float] = PAUSES) -> None:
        self._timeout_seconds = timeout_seconds
        self._pauses = tuple(pauses)
        # No proxy of the environment: the store is part of the cloud.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, path: Path, url: str) -> Sent:
        """Send a file with PUT. Raises TransferFailed."""
        _check_url(url)
        return self._patiently(lambda: self._send(path, url))

    def fetch(self, link: DiskLink, path: Path) -> None:
        """Fetch a file, which must have the length and digest that the link names. Raises TransferFailed."""
        _check_url(link.url)
        self._patiently(lambda: self._fetch(link, path))

    def _patiently(self, act: Callable[[], Done]) -> Done:
        for pause in self._pauses:
            try:
                return act()
            except _Away as exc:
                log.warning("%s; trying again in %.1f s", exc, pause)
                time.sleep(pause)
        return act()

    def _send(self, path: Path, url: str) -> Sent:
        with path.open("rb") as stream:
            size, body = os.fstat(stream.fileno()).st_size, _Hashed(stream)
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
            request = urllib.request.Request(url, data=body, headers=headers, method="PUT")  # noqa: S310 - checked
            try:
                with self._opener.open(request, timeout=self._timeout_seconds):
                    return Sent(size, body.digest.hexdigest())
            except urllib.error.HTTPError as exc:
                said = exc.read(500).decode(errors="replace")
                exc.close()
                raise _kind(exc)(f"{path.name} was not taken: {exc}: {said}") from exc
            except _UNREACHABLE as exc:
                raise _Away(f"{path.name} could not be sent: {exc}") from exc

    def _fetch(self, link: DiskLink, path: Path) -> None:
        received, digest = 0, hashlib.sha256()
        try:
            with path.open("wb") as stream, self._opener.open(link.url, timeout=self._timeout_seconds) as response:
                while block := response.read(_BLOCK_BYTES):
                    received += len(block)
                    if received > link.size_bytes:
                        break
                    digest.update(block)
                    stream.write(block)
                stream.flush()
                os.fsync(stream.fileno())
        except urllib.error.HTTPError as exc:
            exc.close()
            raise _kind(exc)(f"{link.name} could not be fetched: {exc}") from exc
        except _UNREACHABLE as exc:
            # The link is signed: it stays out of the text.
            raise _Away(f"{link.name} could not be fetched: {exc}") from exc
        if received != link.size_bytes or digest.hexdigest() != link.sha256:
            raise TransferFailed(f"{link.name} did not arrive as it was sent")


def _kind(answer: urllib.error.HTTPError) -> type[TransferFailed]:
    """Return what an answer means: one that blames us will be the same again."""
    return _Away if answer.code >= _SERVER_ERROR else TransferFailed


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise TransferFailed("disks travel over HTTP only")
