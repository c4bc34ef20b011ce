"""From libvirt's events to listeners: in order, in one thread, across libvirtd's restarts."""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

import libvirt

from compute_agent.drivers.base import LifecycleListener, PowerState
from compute_agent.drivers.libvirt.host import Host
from compute_agent.errors import DomainNotFound, DriverError

logger = logging.getLogger(__name__)

_RECONNECT_SECONDS = 1.0
# Until it listens for the first time; a libvirtd that hangs is not waited for any longer.
_BEGIN_SECONDS = 10.0
_STOP_SECONDS = 5.0
_STATE_AFTER = {
    libvirt.VIR_DOMAIN_EVENT_STARTED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: PowerState.PAUSED,
    libvirt.VIR_DOMAIN_EVENT_RESUMED: PowerState.RUNNING,
    libvirt.VIR_DOMAIN_EVENT_STOPPED: PowerState.SHUTDOWN,
    libvirt.VIR_DOMAIN_EVENT_CRASHED: PowerState.CRASHED,
    libvirt.VIR_DOMAIN_EVENT_PMSUSPENDED: PowerState.SUSPENDED,
}


@dataclass(frozen=True)
class _Change:
    uuid: str
    state: PowerState


@dataclass(frozen=True)
class _Lost:
    """The connection ended."""


@dataclass(frozen=True)
class _Stop:
    """The watcher shall end."""


class LifecycleWatcher:
    """Tells listeners about changes of power states.

    After a lost connection it compares what is with what it last told, so that a change that nobody saw is told late
    rather than never.

    Args:
        host: the connection.
        is_ours: whether a uuid is a domain of ours; may raise DriverError.
        list_states: returns the states of all our domains; may raise DriverError.
    """

    def __init__(
        self, host: Host, is_ours: Callable[[str], bool], list_states: Callable[[], dict[str, PowerState]]
    ) -> None:
        self._host = host
        self._is_ours = is_ours
        self._list_states = list_states
        self._inbox: queue.SimpleQueue[_Change | _Lost | _Stop] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._listeners: list[LifecycleListener] = []
        self._thread: threading.Thread | None = None
        self._has_begun = threading.Event()
        self._told: dict[str, PowerState] = {}

    def subscribe(self, listener: LifecycleListener) -> None:
        """Tell this listener too from now on: what changes after this has returned is told.

        The first one starts the thread. Where libvirt is away, what changed by then is told once it is back.
        """
        with self._lock:
            self._listeners.append(listener)
            if self._thread is None:
                self._host.watch(self._on_event, lambda: self._inbox.put(_Lost()))
                self._thread = threading.Thread(target=self._run, name="libvirt-lifecycle", daemon=True)
                self._thread.start()
        self._has_begun.wait(_BEGIN_SECONDS)

    def close(self) -> None:
        """End the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._listeners.clear()
        if thread is not None:
            self._inbox.put(_Stop())
            thread.join(_STOP_SECONDS)

    def _on_event(self, uuid: str, event: int) -> None:
        state = _STATE_AFTER.get(event)
        if state is not None:
            self._inbox.put(_Change(uuid, state))

    def _run(self) -> None:
        is_connected = self._reconnect(is_first=True)
        self._has_begun.set()
        while True:
            try:
                news = self._inbox.get(timeout=None if is_connected else _RECONNECT_SECONDS)
            except queue.Empty:
                is_connected = self._reconnect()
                continue
            match news:
                case _Stop():
                    return
                case _Lost():
                    is_connected = self._reconnect()
                case _Change(uuid, state):
                    self._tell_if_ours(uuid, state)

    def _reconnect(self, *, is_first: bool = False) -> bool:
        """Look at all domains over a living connection and tell what changed since; return whether there is one."""
        try:
            self._host.listen()
            states = self._list_states()
        except DriverError as exc:
            logger.warning("libvirt is away: %s", exc)
            return False
        if is_first:
            self._told = states
            return True
        for uuid, state in states.items():
            if self._told.get(uuid) != state:
                self._tell(uuid, state)
        return True

    def _tell_if_ours(self, uuid: str, state: PowerState) -> None:
        try:
            is_ours = self._is_ours(uuid)
        except DomainNotFound:
            is_ours = False
        except DriverError as exc:
            # The connection broke after the event: what came of it is told once it is back.
            logger.warning("event of domain %s put off: %s", uuid, exc)
            return
        if is_ours:
            self._tell(uuid, state)
        else:
            self._told.pop(uuid, None)

    def _tell(self, uuid: str, state: PowerState) -> None:
        self._told[uuid] = state
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener(uuid, state)
            except Exception:  # a listener's fault must silence neither the others nor this thread
                logger.exception("a listener failed on domain %s", uuid)
