"""What comes in at the same time is done in one go, and nobody waits for what is done, or fails for another."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from cloud.core.together import Together


class Refused(Exception):
    pass


class Work:
    """Notes the groups; the first of them lasts until everybody has come."""

    def __init__(self, refuse: Sequence[int] = ()) -> None:
        self.groups: list[list[int]] = []
        self.refuse = refuse
        self.is_open = threading.Event()
        self.has_begun = threading.Event()

    def __call__(self, group: Sequence[int]) -> None:
        self.groups.append(list(group))
        self.has_begun.set()
        assert self.is_open.wait(60)
        if set(group) & set(self.refuse):
            raise Refused(str(group))


def run(work: Work, together: Together[int], numbers: Sequence[int]) -> list[BaseException | None]:
    """Call with the first number, and with the others while that one is at work."""
    with ThreadPoolExecutor(len(numbers)) as pool:
        first = pool.submit(together, numbers[0])
        assert work.has_begun.wait(60)
        others = [pool.submit(together, number) for number in numbers[1:]]
        wait_until(lambda: len(together._waiting) == len(numbers))
        work.is_open.set()
        return [one.exception(60) for one in [first, *others]]


def wait_until(is_so: Callable[[], bool]) -> None:
    tick = threading.Event()
    for _ in range(6000):
        if is_so():
            return
        tick.wait(0.01)
    raise AssertionError("never so")


def test_who_comes_alone_is_served_alone():
    work = Work()
    work.is_open.set()
    Together(work)(1)
    assert work.groups == [[1]]


def test_who_comes_while_another_is_served_goes_with_the_next_group():
    work = Work()
    assert run(work, Together(work), [0, 1, 2, 3]) == [None] * 4
    first, *others = work.groups
    assert first == [0]
    assert [sorted(group) for group in others] == [[1, 2, 3]]


def test_groups_have_a_largest_size():
    work = Work()
    assert run(work, Together(work, most=2), range(6)) == [None] * 6
    assert [len(group) for group in work.groups] == [1, 2, 2, 1]


def test_nobody_fails_for_what_another_asked():
    work = Work(refuse=[2])
    errors = run(work, Together(work), [0, 1, 2, 3])
    assert [type(error) for error in errors] == [type(None), type(None), Refused, type(None)]
    assert sorted(map(sorted, work.groups[2:])) == [[1], [2], [3]]


def test_a_thread_that_is_ended_takes_nobody_with_it():
    work = Work()
    ended = []

    def do(group: Sequence[int]) -> None:
        work(group)
        if 0 in group and not ended:
            ended.append(0)
            raise SystemExit

    together = Together(do)
    errors = run(work, together, [0, 1, 2])
    assert [type(error) for error in errors] == [SystemExit, type(None), type(None)]
    assert not together._waiting
