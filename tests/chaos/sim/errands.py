"""Orders that an agent carries out: each in a thread of its own, of which one runs at a time, and only when told.

So an agent can wait for a guest, hang in its hypervisor or wait for a lock while everybody else goes on, and the
same seed still gives the same run.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from compute_agent.errors import DeadlineExceeded
from tests.chaos.sim.boundaries import Killed
from tests.chaos.sim.clock import Clock

_POLL_SECONDS = 0.25


class Errand:
    """A thread that runs only between `go` and its next `park`, or its end."""

    def __init__(self, job: Callable[[], None]) -> None:
        self._job = job
        self._mine, self._theirs = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._favour: Callable[[], object] | None = None
        self._answer: object = None
        self.is_over = self.is_doomed = False
        self.error: BaseException | None = None
        self.wakes_at = 0.0
        self.label, self.queue, self.message = "", "", {}

    def start(self) -> None:
        self._thread.start()
        self.go()

    def go(self) -> None:
        """Let it run until it waits or ends; do for it what only the main thread may."""
        while True:
            self._mine.release()
            self._theirs.acquire()
            if self._favour is None:
                break
            favour, self._favour = self._favour, None
            try:
                self._answer = favour()
            except BaseException as error:  # noqa: BLE001 - handed to whom it concerns
                self._answer = error
        if self.is_over:
            self._thread.join()

    def park(self) -> None:
        """Wait, within the thread, until `go`. Raises Killed when its process was killed meanwhile."""
        self._theirs.release()
        self._mine.acquire()
        if self.is_doomed:
            raise Killed

    def ask(self, favour: Callable[[], object]) -> object:
        """Have the main thread do something, from within the thread."""
        self._favour = favour
        self._theirs.release()
        self._mine.acquire()
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer

    def _run(self) -> None:
        self._mine.acquire()
        try:
            self._job()
        except BaseException as error:  # noqa: BLE001 - judged by the main thread
            self.error = error
        self.is_over = True
        self._theirs.release()


class Errands:
    """Those under way, and which of them this thread is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of_thread = threading.local()
        clock.park = self._park

    @property
    def current(self) -> Errand | None:
        return getattr(self._of_thread, "errand", None)

    def make(self, job: Callable[[], None]) -> Errand:
        def run() -> None:
            self._of_thread.errand = errand
            job()

        errand = Errand(run)
        return errand

    def _park(self, until: float) -> bool:
        errand = self.current
        if errand is None:
            return False
        errand.wakes_at = until
        errand.park()
        return True


class ErrandLocks:
    """Locks by instance uuid for orders that wait by the virtual clock; see InstanceLocks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: set[str] = set()

    @contextmanager
    def hold(self, uuid: str, wait_seconds: float) -> Iterator[None]:
        give_up_at = self._clock.now + wait_seconds
        while uuid in self._held:
            if self._clock.now >= give_up_at:
                raise DeadlineExceeded(f"another order held instance {uuid} for {wait_seconds:.0f} s")
            self._clock.sleep(_POLL_SECONDS)
        self._held.add(uuid)
        try:
            yield
        finally:
            self._held.discard(uuid)
