"""How a host's own service waits: it looks now and then at what there is to say, and hears its sockets in between."""

import selectors
import threading
import time
from collections.abc import Callable
from socket import socket

POLL_SECONDS = 0.5

Look = Callable[[selectors.BaseSelector], None]
Hear = Callable[[str, socket], None]


def hear_until(stopped: threading.Event, look: Look, hear: Hear) -> None:
    """Look and hear until stopped; then the sockets are closed.

    Args:
        stopped: set by whoever wants it to end; it does so after the present look.
        look: called every POLL_SECONDS; registers sockets, each with its network, and unregisters them.
        hear: called for a socket that something has come to, with its network.
    """
    with selectors.DefaultSelector() as selector:
        look_at = 0.0
        while not stopped.is_set():
            if time.monotonic() >= look_at:
                look(selector)
                look_at = time.monotonic() + POLL_SECONDS
            for key, _ in selector.select(timeout=max(look_at - time.monotonic(), 0)):
                hear(key.data, key.fileobj)  # type: ignore[arg-type]
        for key in list(selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
