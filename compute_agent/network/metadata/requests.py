"""Reading a guest's request: bounded in size and time, and nothing of it believed but its line and its body."""

import socket
import time
from dataclasses import dataclass

REQUEST_BYTES = 8_192
REQUEST_SECONDS = 5.0
_DIGITS = 9  # more than any length that is read


@dataclass(frozen=True)
class Request:
    """What a guest asks for."""

    method: str
    path: str
    body: bytes = b""


def read_request(connection: socket.socket) -> Request | None:
    """Return the request after all of it arrived; None for what is none, or is too large.

    Raises:
        TimeoutError: it did not arrive in time.
    """
    end = time.monotonic() + REQUEST_SECONDS
    received = b""
    while _missing(received) > 0:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        more = connection.recv(REQUEST_BYTES)
        received += more
        if not more or len(received) > REQUEST_BYTES:
            return None
    return None if _missing(received) < 0 else _parsed(received)


def _missing(received: bytes) -> int:
    """Return how many bytes lack at least; less than none for what will be no request."""
    head, separator, body = _split(received)
    if not separator:
        return 1
    length = _length(head)
    return max(0, length - len(body)) if 0 <= length < REQUEST_BYTES else -1


def _length(head: bytes) -> int:
    """Return how long the body is by its headers; less than nothing where they do not make sense."""
    lines = (line.partition(b":") for line in head.split(b"\n")[1:])
    found = [value.strip() for name, _, value in lines if name.strip().lower() == b"content-length"] or [b"0"]
    return int(found[0]) if len(found) == 1 and found[0].isdigit() and len(found[0]) <= _DIGITS else -1


def _split(received: bytes) -> tuple[bytes, bytes, bytes]:
    found = received.partition(b"\r\n\r\n")
    return found if found[1] else received.partition(b"\n\n")


def _parsed(received: bytes) -> Request | None:
    head, _, body = _split(received)
    words = head.split(b"\n", 1)[0].rstrip(b"\r").decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    return Request(words[0], words[1], body[: _length(head)])
