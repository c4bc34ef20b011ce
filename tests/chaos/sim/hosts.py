"""Fake hosts: the agent's own code with its complete fake drivers, and a boundary around every effect and record."""

import os
from collections.abc import Callable, Iterator
from typing import Any

from compute_agent import observations
from compute_agent.drivers import fake
from compute_agent.drivers.base import PowerState
from compute_agent.drivers.fake import FakeHypervisor, FakeSize
from compute_agent.fences import MemoryFences, Record
from compute_agent.host import Host
from compute_agent.network.fake import FakeNetwork, fake_underlay
from compute_agent.silence import Silence
from compute_agent.storage.fake import FakeStorage
from compute_agent.tasks import Agent, Station
from tests.chaos.sim.boundaries import Boundaries
from tests.chaos.sim.clock import Clock
from tests.chaos.sim.errands import Errand, ErrandLocks

SIZE = FakeSize(vcpus=4, memory_mb=8704, disk_gb=100)
# What changes something; whatever else a driver does only looks.
EFFECTS = frozenset({
    "define", "start", "request_shutdown", "power_off", "undefine", "copy_root_disk", "plug", "unplug", "prepare_image",
    "create_disks", "delete_disks", "set_aside", "take_back", "drop_aside", "send_disk", "receive_disk", "land_disks",
    "begin_snapshot", "copy_root", "send_snapshot", "end_snapshot",
    "set_interfaces", "apply",
})  # fmt: skip


class _AtOnce:
    """Tells listeners in the thread that caused the event, so that a seed gives one run."""

    def submit(self, listener: Callable[..., None], *event: Any) -> None:
        listener(*event)


class Watched:
    """A driver whose effects are boundaries."""

    def __init__(self, driver: Any, boundaries: Boundaries, after: Callable[[str, str], None]) -> None:
        self._driver, self._boundaries, self._after = driver, boundaries, after

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._driver, name)
        if name not in EFFECTS:
            return verb

        def run(*args: Any, **kwargs: Any) -> Any:
            self._boundaries.cross("effect.before", name)
            answer = verb(*args, **kwargs)
            self._after(name, _uuid_of(args))
            self._boundaries.cross("effect.after", name)
            return answer

        return run


def _uuid_of(args: tuple[Any, ...]) -> str:
    return str(getattr(args[0], "uuid", args[0])) if args else ""


class WatchedFences(MemoryFences):
    """Fences that outlive their agent, as those in files do, with a boundary around each record."""

    def __init__(self, boundaries: Boundaries) -> None:
        super().__init__()
        self._boundaries = boundaries

    def save(self, uuid: str, record: Record) -> None:
        self._boundaries.cross("record.before", "fence")
        super().save(uuid, record)
        self._boundaries.cross("record.after", "fence")


class FakeHost:
    """A machine: its hypervisor, network and disks stay when its agent dies.

    Attributes:
        boots: how often a guest was switched on, by instance.
    """

    def __init__(self, name: str, clock: Clock, boundaries: Boundaries, on_effect: Callable[[], None]) -> None:
        fake._ANNOUNCER = _AtOnce()
        # What the real machine is busy with is nothing of these hosts: whoever hears of a change writes it down.
        os.getloadavg = lambda: (0.0, 0.0, 0.0)
        observations._uptime_text = lambda: "up since it was simulated"
        self.name, self._clock, self._boundaries, self._on_effect = name, clock, boundaries, on_effect
        self.driver = FakeHypervisor(name, SIZE)
        self.network = FakeNetwork(underlay=fake_underlay(name))
        self.storage = FakeStorage(SIZE.disk_gb)
        self.fences = WatchedFences(boundaries)
        # Outlives its agent, as the one in a file does.
        self.silence = Silence(clock=clock.time, boot="first")
        self.boots: dict[str, int] = {}
        self.driver.subscribe(self._heard)
        self.is_agent_up = True
        self.started_at = clock.now
        self.errands: list[Errand] = []
        self.changes: dict[str, PowerState] = {}
        self.on_change: Callable[[FakeHost], None] = lambda host: None
        self._stations: dict[str, Station] = {}
        self.agent = Agent(stations=self._stations)
        self.restart_agent()

    def enroll(self, key: bytes) -> None:
        """Take the key that orders are signed with; tasks ask for the agent when they run."""
        self.agent = Agent(stations=self._stations, key=lambda: key)

    def restart_agent(self) -> None:
        """Begin as an agent that knows nothing but what its files say."""
        self.is_agent_up = True
        self.started_at = self._clock.now
        host = Host(
            name=self.name, driver=self._watched(self.driver), network=self._watched(self.network),
            storage=self._watched(self.storage), clock=self._clock.time, sleep=self._clock.sleep,
            stamp=self._clock.time, silence=self.silence,
        )  # fmt: skip
        self.network.locks = ErrandLocks(self._clock)
        self._stations[self.name] = Station(host, ErrandLocks(self._clock), self.fences)

    @property
    def host(self) -> Host:
        return self.agent.stations[self.name].host

    def domains(self) -> dict[str, PowerState]:
        return self.driver.list_domains()

    def _watched(self, driver: Any) -> Any:
        return Watched(driver, self._boundaries, self._after)

    def _after(self, verb: str, uuid: str) -> None:
        self._on_effect()

    def _heard(self, uuid: str, state: PowerState) -> None:
        if state is PowerState.RUNNING:
            self.boots[uuid] = self.boots.get(uuid, 0) + 1
        if not self.changes:
            self.on_change(self)
        self.changes[uuid] = state


def running(hosts: list[FakeHost]) -> Iterator[tuple[str, str]]:
    """Yield (instance, host) of every guest that runs."""
    for host in hosts:
        for uuid, state in host.driver.list_domains().items():
            if state is PowerState.RUNNING:
                yield uuid, host.name
