"""Who listens to libvirt's guests hears of each change from then on."""

import threading

import pytest

from compute_agent.drivers.base import PowerState
from compute_agent.drivers.libvirt import lifecycle
from compute_agent.drivers.libvirt.lifecycle import LifecycleWatcher

STARTED = 2  # libvirt's number of the event
GUEST = "6a3a3a52-2f0b-4d5a-9f0e-0c8d1f6d9b11"


class SlowHost:
    """A host that takes its time until it reports events; what happens before is reported to nobody."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.sink = None
        self.is_heard = False

    def watch(self, on_event, on_close) -> None:
        self.sink = on_event

    def listen(self) -> None:
        self.answers.wait()
        self.is_heard = True

    def starts(self, uuid: str) -> None:
        if self.is_heard:
            self.sink(uuid, STARTED)


@pytest.fixture
def host():
    host = SlowHost()
    yield host
    host.answers.set()


@pytest.fixture
def watcher(host):
    watcher = LifecycleWatcher(host, lambda uuid: True, dict)
    yield watcher
    host.answers.set()
    watcher.close()


def test_what_changes_after_somebody_listens_is_told_however_slow_the_host_is(host, watcher):
    told, came = [], threading.Event()

    def listener(uuid, state):
        told.append((uuid, state))
        came.set()

    threading.Timer(0.2, host.answers.set).start()
    watcher.subscribe(listener)
    host.starts(GUEST)
    assert came.wait(10)
    assert told == [(GUEST, PowerState.RUNNING)]


def test_a_host_that_hangs_is_not_waited_for_for_ever(host, watcher, monkeypatch):
    monkeypatch.setattr(lifecycle, "_BEGIN_SECONDS", 0.1)
    for _ in range(2):
        watcher.subscribe(lambda uuid, state: None)
    assert not host.is_heard
