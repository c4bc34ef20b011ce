"""Waiting for libvirt with an end: a call that hangs costs a thread of its own, never the one that waits.

libvirt waits for ever for a QEMU that hangs: its keepalive tells of libvirtd alone.
"""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from compute_agent.errors import DriverError

Answer = TypeVar("Answer")
GoesOn = Callable[[], None]


def within(seconds: float, call: Callable[[], Answer], name: str) -> Answer:
    """Return what the call returns, or raise what it raises.

    What is called must do no harm when it goes through later than anybody waits for it.

    Raises:
        DriverError: it did not end in time.
    """
    return unless_silent(seconds, lambda _: call(), name)


def unless_silent(seconds: float, call: Callable[[GoesOn], Answer], name: str) -> Answer:
    """Return what a call returns, or raise what it raises, however long it takes while it says that it goes on.

    What is called gets the function that says so. That raises once nobody waits any more, so that the call ends.

    Raises:
        DriverError: nothing was said for so long.
    """
    told: queue.SimpleQueue[tuple[Answer | None, BaseException | None] | None] = queue.SimpleQueue()
    given_up = threading.Event()

    def go_on() -> None:
        if given_up.is_set():
            raise DriverError(f"{name} was given up")
        told.put(None)

    def run() -> None:
        try:
            told.put((call(go_on), None))
        except BaseException as exc:  # noqa: BLE001 - the caller raises it
            told.put((None, exc))

    threading.Thread(target=run, name=f"libvirt-{name}", daemon=True).start()
    news = None
    while news is None:
        try:
            news = told.get(timeout=seconds)
        except queue.Empty:
            given_up.set()
            raise DriverError(f"libvirt does not answer: {name} took more than {seconds:.0f} s") from None
    answer, error = news
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
