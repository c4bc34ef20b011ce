"""Waiting for libvirt with an end: a call that hangs costs a thread of its own, never the one that waits."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from compute_agent.errors import DriverError

Answer = TypeVar("Answer")


def within(seconds: float, call: Callable[[], Answer], name: str) -> Answer:
    """Return what the call returns, or raise what it raises.

    What is called must do no harm when it goes through later than anybody waits for it.

    Raises:
        DriverError: it did not end in time.
    """
    answers: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as exc:  # noqa: BLE001 - the caller raises it
            answers.put((None, exc))

    threading.Thread(target=run, name=f"libvirt-{name}", daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise DriverError(f"libvirt does not answer: {name} took more than {seconds:.0f} s") from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]
