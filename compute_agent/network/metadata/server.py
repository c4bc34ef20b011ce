"""Accept, know the caller by network and address, answer, close. No header says who anybody is."""

import contextlib
import ipaddress
import json
import logging
import selectors
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compute_agent.network.hearing import hear_until
from compute_agent.network.metadata.answers import TEXT_TYPE, Document, answer
from compute_agent.network.metadata.listeners import Listeners
from compute_agent.network.metadata.passwords import Ask, Passwords, is_password
from compute_agent.network.metadata.requests import Request, read_request
from compute_agent.network.names import FLOATING_FILE

THREADS = 64
PER_NETWORK = 4  # one tenant's slow callers must not keep the others' out

log = logging.getLogger(__name__)

_REASONS = {
    200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict",
    503: "Service Unavailable",
}  # fmt: skip


class MetadataServer:
    """Serves the documents under a state folder until stopped.

    Args:
        state_dir: of the agent.
        ask: keeps guests' passwords.
        listeners: where guests come.
    """

    def __init__(self, state_dir: Path, ask: Ask, listeners: Listeners | None = None) -> None:
        self._folder, self._floating = state_dir / "metadata", state_dir / FLOATING_FILE
        self._listeners = listeners or Listeners(state_dir)
        self._passwords = Passwords(ask)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="metadata")
        self._busy: dict[str, threading.BoundedSemaphore] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End after the present look."""
        self._stopped.set()

    def run(self) -> None:
        """Serve until stopped."""
        hear_until(self._stopped, self._refresh, self._accept)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _refresh(self, selector: selectors.BaseSelector) -> None:
        opened, closing = self._listeners.refresh()
        for listener in closing:
            selector.unregister(listener)
            listener.close()
        for network, listener in opened:
            selector.register(listener, selectors.EVENT_READ, network)
            self._busy.setdefault(network, threading.BoundedSemaphore(PER_NETWORK))

    def _accept(self, network: str, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection, (address, *_) = listener.accept()
            busy = self._busy[network]
            if busy.acquire(blocking=False):
                self._pool.submit(self._serve, network, address, connection, busy)
            else:
                connection.close()

    def _serve(self, network: str, address: str, connection: socket.socket, busy: threading.BoundedSemaphore) -> None:
        try:
            with connection, contextlib.suppress(OSError):
                connection.sendall(self._respond(network, address, connection))
        except Exception:
            log.exception("network=%s address=%s: no answer", network, address)
        finally:
            busy.release()

    def _respond(self, network: str, address: str, connection: socket.socket) -> bytes:
        try:
            request = read_request(connection)
        except TimeoutError:
            return _response(408)
        if request is None:
            return _response(400)
        document = self._document(network, address)
        if document and is_password(request.path):
            return self._about_password(request, document)
        if request.method not in ("GET", "HEAD"):
            return _response(405)
        found = answer(request.path, document) if document else None
        return _response(200, *found, is_bodiless=request.method == "HEAD") if found else _response(404)

    def _about_password(self, request: Request, document: Document) -> bytes:
        status, content = self._passwords.answer(request.method, request.body, document["instance_uuid"])
        return _response(status, body=content if status == 200 else None, is_bodiless=request.method == "HEAD")

    def _document(self, network: str, address: str) -> Document | None:
        # Written by the kernel, not by the guest; still, only an address may become a file's name.
        name = str(ipaddress.ip_address(address))
        try:
            document: Document = json.loads((self._folder / network / f"{name}.json").read_text())
        except FileNotFoundError:
            return None
        return {**document, "floating_ips": self._floating_ips(document)}

    def _floating_ips(self, document: Document) -> list[str]:
        """Return what leads to the caller's instance from outside; a document of an agent before names one port."""
        try:
            known: dict[str, list[str]] = json.loads(self._floating.read_bytes())
        except FileNotFoundError:
            return []
        port_ids: list[str] = document.get("port_ids") or [document.get("port_id", "")]
        return [address for port_id in port_ids for address in known.get(port_id, ())]


def _response(status: int, kind: str = TEXT_TYPE, body: bytes | None = None, *, is_bodiless: bool = False) -> bytes:
    content = f"{status} {_REASONS[status]}\n".encode() if body is None else body
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + (b"" if is_bodiless else content)
