"""Long lists take turns, short ones do not."""

import threading

import pytest

from cloud.core.long_lists import Turns

PATIENCE_SECONDS = 30


def never_asked() -> bool:
    raise AssertionError("nobody has to wait, so nobody needs to know")


def test_who_finds_a_free_turn_is_not_asked_how_long_his_list_is():
    turns = Turns(2)
    with turns.turn(never_asked), turns.turn(never_asked):
        pass
    with turns.turn(never_asked), turns.turn(never_asked):
        pass


def test_a_short_list_waits_for_nobody_and_takes_no_turn_away():
    turns = Turns(1)
    with turns.turn(never_asked):
        for _ in range(3):
            with turns.turn(lambda: False):
                pass
    with turns.turn(never_asked):
        pass


def test_a_long_list_waits_until_another_is_made():
    turns, asked, begun, order = Turns(1), threading.Event(), threading.Event(), []

    def is_long() -> bool:
        asked.set()
        return True

    def second() -> None:
        with turns.turn(is_long):
            order.append("second")
        begun.set()

    with turns.turn(never_asked):
        threading.Thread(target=second, daemon=True).start()
        assert asked.wait(PATIENCE_SECONDS)
        order.append("first")
    assert begun.wait(PATIENCE_SECONDS)
    assert order == ["first", "second"]


def test_a_list_that_fails_gives_its_turn_back():
    turns = Turns(1)
    with pytest.raises(ZeroDivisionError), turns.turn(never_asked):
        _ = 1 / 0
    with turns.turn(never_asked):
        pass
