"""Connections to libvirt that come back by themselves, and the thread that libvirt's events need.

Each thread has a connection of its own. Two that share one are lost when libvirtd hangs: libvirt 9's client lets the
one that reads notice that keepalive gave up, and never wakes the others.
"""

import threading
import time
import weakref
from collections.abc import Callable

import libvirt

from compute_agent.drivers.libvirt.errors import translated
from compute_agent.errors import DriverError

_KEEPALIVE_SECONDS = 5
_KEEPALIVE_MISSES = 3
# A daemon that hangs takes the connection and never answers: no keepalive watches over that yet.
_OPEN_SECONDS = 5.0

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


def close(connection: libvirt.virConnect) -> None:
    """Close a connection, unless it is closed: by its thread's end, for one, which may come at this moment."""
    try:
        if connection.isAlive():
            connection.close()
    except libvirt.libvirtError as exc:
        if exc.get_error_code() != libvirt.VIR_ERR_INVALID_CONN:
            raise


class _Mine(threading.local):
    """A thread's own connection."""

    connection: libvirt.virConnect | None = None


class Host:
    """A libvirt host by its URI. Safe for use from several threads.

    No call lasts for ever: keepalive ends those of a connection whose daemon hangs, after 20 s, and connecting itself
    is waited for 5 s.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._mine = _Mine()
        self._changed = threading.Condition()
        self._all: weakref.WeakSet[libvirt.virConnect] = weakref.WeakSet()
        self._unused: list[libvirt.virConnect] = []
        self._opening_since: float | None = None
        self._failure = ""
        self._is_closed = False
        self._on_event: EventSink | None = None
        self._on_close: CloseSink | None = None
        self._heard: tuple[libvirt.virConnect, int] | None = None

    def watch(self, on_event: EventSink, on_close: CloseSink) -> None:
        """Report lifecycle events as (uuid, libvirt's event number) and the connection's end, once `listen` is called.

        What is called must return at once and must not call libvirt.
        """
        self._on_event, self._on_close = on_event, on_close

    def listen(self) -> None:
        """Have events reported that come over the calling thread's connection. Raises DriverError."""
        connection = self.connection()
        if self._on_event is None or (self._heard and self._heard[0] is connection):
            return
        with translated("listening for events"):
            lifecycle = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
            registration = connection.domainEventRegisterAny(None, lifecycle, self._event, None)
            connection.registerCloseCallback(self._closed, None)
        self._heard = (connection, registration)

    def connection(self) -> libvirt.virConnect:
        """Return the calling thread's living connection, opening one when there is none.

        Raises:
            DriverError: libvirt does not answer.
        """
        if self._is_closed:
            raise DriverError("The driver was closed.")
        connection = self._mine.connection
        if connection is None or not connection.isAlive():
            connection = self._mine.connection = self._fresh()
        return connection

    def close(self) -> None:
        """Close all connections for good."""
        with self._changed:
            self._is_closed = True
            connections, self._unused = list(self._all), []
        heard, self._heard = self._heard, None
        self._on_event = self._on_close = None
        with translated("closing the connection"):
            if heard is not None and heard[0].isAlive():
                heard[0].domainEventDeregisterAny(heard[1])
                heard[0].unregisterCloseCallback()
            for connection in connections:
                close(connection)

    def _fresh(self) -> libvirt.virConnect:
        """Wait for a connection that nobody has. One attempt is under way at a time, and all wait for it."""
        with self._changed:
            while True:
                while self._unused:
                    connection = self._unused.pop()
                    if connection.isAlive():
                        return connection
                if self._opening_since is None:
                    self._opening_since, self._failure = time.monotonic(), ""
                    _start_event_loop()
                    threading.Thread(target=self._open, name="libvirt-open", daemon=True).start()
                left = self._opening_since + _OPEN_SECONDS - time.monotonic()
                if left <= 0:
                    raise DriverError("libvirt does not answer: it takes connections and says nothing")
                self._changed.wait(left)
                if self._failure:
                    raise DriverError(self._failure)

    def _open(self) -> None:
        """Connect, and leave the connection to whoever waits, or to the next one that wants it."""
        connection, failure = None, ""
        try:
            with translated("libvirt does not answer"):
                connection = libvirt.open(self._uri)
                connection.setKeepAlive(_KEEPALIVE_SECONDS, _KEEPALIVE_MISSES)
        except DriverError as exc:
            failure = str(exc)
        with self._changed:
            self._opening_since, self._failure = None, failure
            if connection is not None and not failure and not self._is_closed:
                self._all.add(connection)
                self._unused.append(connection)
            self._changed.notify_all()

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
