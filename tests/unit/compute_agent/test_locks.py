"""One order per instance at a time, between threads and between processes."""

import multiprocessing
import threading
import time

import pytest

from compute_agent.errors import DeadlineExceeded
from compute_agent.locks import FileLocks, MemoryLocks


@pytest.fixture(params=["memory", "file"])
def locks(request, tmp_path):
    return MemoryLocks() if request.param == "memory" else FileLocks(tmp_path)


def test_two_threads_never_hold_the_same_instance(locks):
    inside, worst = [], []

    def work():
        for _ in range(5):
            with locks.hold("a", 100):
                inside.append(1)
                worst.append(len(inside))
                time.sleep(0.002)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(worst) == 30
    assert max(worst) == 1


def test_other_instances_do_not_wait(locks):
    with locks.hold("a", 0), locks.hold("b", 0):
        pass


def test_waiting_has_an_end(locks):
    with locks.hold("a", 0), pytest.raises(DeadlineExceeded), locks.hold("a", 0.05):
        pass


def test_lock_is_free_after_an_error(locks):
    with pytest.raises(ZeroDivisionError), locks.hold("a", 0):
        raise ZeroDivisionError
    with locks.hold("a", 0):
        pass


def test_nothing_is_left_of_a_free_lock(tmp_path):
    locks = FileLocks(tmp_path)
    with locks.hold("a", 0):
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_lock_of_a_killed_process_is_free(tmp_path):
    locks = FileLocks(tmp_path)
    context = multiprocessing.get_context("spawn")
    holds = context.Event()
    process = context.Process(target=_hold_for_ever, args=(tmp_path, holds))
    process.start()
    assert holds.wait(100)
    with pytest.raises(DeadlineExceeded), locks.hold("a", 0):
        pass
    process.kill()
    process.join()
    with locks.hold("a", 2):
        pass


def _hold_for_ever(folder, holds):
    with FileLocks(folder).hold("a", 1):
        holds.set()
        time.sleep(600)
