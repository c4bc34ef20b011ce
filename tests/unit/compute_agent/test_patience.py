"""A call that hangs is given up; one that goes on may take as long as it likes."""

import threading

import pytest

from compute_agent.drivers.libvirt.patience import GoesOn, unless_silent, within
from compute_agent.errors import DriverError


def test_what_a_call_returns_or_raises_is_passed_on() -> None:
    assert within(60, lambda: 7, "counting") == 7
    with pytest.raises(ZeroDivisionError):
        within(60, lambda: 1 // 0, "dividing")


def test_a_call_that_says_that_it_goes_on_is_waited_for() -> None:
    pause = threading.Event()

    def work(goes_on: GoesOn) -> str:
        for _ in range(8):
            pause.wait(0.3)
            goes_on()
        return "done"

    assert unless_silent(2.0, work, "working") == "done"


def test_a_call_that_was_given_up_ends_when_it_goes_on() -> None:
    hang, ended = threading.Event(), threading.Event()

    def work(goes_on: GoesOn) -> None:
        hang.wait(100)
        try:
            goes_on()
        except DriverError:
            ended.set()
            raise

    with pytest.raises(DriverError, match="libvirt does not answer: working took more than 0 s"):
        unless_silent(0.05, work, "working")
    hang.set()
    assert ended.wait(60)
