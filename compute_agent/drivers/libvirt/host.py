"""One connection to libvirt that comes back by itself, and the thread that libvirt's events need."""

import threading
from collections.abc import Callable

import libvirt

from compute_agent.drivers.libvirt.errors import translated
from compute_agent.errors import DriverError

_KEEPALIVE_SECONDS = 5
_KEEPALIVE_MISSES = 3

EventSink = Callable[[str, int], None]
CloseSink = Callable[[], None]

_loop_lock = threading.Lock()
_loop: threading.Thread | None = None


def _start_event_loop() -> None:
    """Run libvirt's event loop in this process: once, before the first connection, and for ever."""
    global _loop  # noqa: PLW0603 - libvirt has one event loop for each process
    with _loop_lock:
        if _loop is not None:
            return
        libvirt.registerErrorHandler(lambda _context, _error: None, None)  # else every error is printed
        libvirt.virEventRegisterDefaultImpl()
        _loop = threading.Thread(target=_run_event_loop, name="libvirt-events", daemon=True)
        _loop.start()


def _run_event_loop() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


class Host:
    """A libvirt host by its URI. Safe for use from several threads."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._lock = threading.Lock()
        self._connection: libvirt.virConnect | None = None
        self._is_closed = False
        self._on_event: EventSink | None = None
        self._on_close: CloseSink | None = None
        self._registration: int | None = None

    def watch(self, on_event: EventSink, on_close: CloseSink) -> None:
        """Report lifecycle events as (uuid, libvirt's event number) and the connection's end, from another thread.

        What is called must return at once and must not call libvirt.
        """
        with self._lock:
            self._on_event, self._on_close = on_event, on_close
            if self._connection is not None:
                self._listen(self._connection)

    def connection(self) -> libvirt.virConnect:
        """Return a living connection, opening one when there is none.

        Raises:
            DriverError: libvirt does not answer.
        """
        with self._lock:
            if self._is_closed:
                raise DriverError("The driver was closed.")
            if self._connection is not None and self._connection.isAlive():
                return self._connection
            _start_event_loop()
            with translated("libvirt does not answer"):
                connection = libvirt.open(self._uri)
                connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_MISSES)
                self._listen(connection)
            self._connection = connection
            return connection

    def close(self) -> None:
        """Close the connection for good."""
        with self._lock:
            connection, self._connection, self._is_closed = self._connection, None, True
            registration, self._registration = self._registration, None
            self._on_event = self._on_close = None
        if connection is None or not connection.isAlive():
            return
        with translated("closing the connection"):
            if registration is not None:
                connection.domainEventDeregisterAny(registration)
                connection.unregisterCloseCallback()
            connection.close()

    def _listen(self, connection: libvirt.virConnect) -> None:
        if self._on_event is None:
            return
        self._registration = connection.domainEventRegisterAny(
            None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._event, None
        )
        connection.registerCloseCallback(self._closed, None)

    def _event(
        self, _connection: libvirt.virConnect, domain: libvirt.virDomain, event: int, _detail: int, _opaque: object
    ) -> None:
        sink = self._on_event
        if sink is not None:
            sink(domain.UUIDString(), event)

    def _closed(self, _connection: libvirt.virConnect, _reason: int, _opaque: object) -> None:
        sink = self._on_close
        if sink is not None:
            sink()
