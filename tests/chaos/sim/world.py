"""A whole cloud in one process: every message is carried out by the code that does it in the real one.

One thing happens at a time, chosen by a seeded generator; when nothing can happen the clock leaps to the next moment
at which something is due. A seed gives one run.
"""

import json
import os
import random
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.worker.request import Request

from cloud.compute.services import broker_users, host_credentials, host_feed, host_reports
from cloud.compute.services.heartbeats import heartbeats
from cloud.conductor import background, presence
from cloud.conductor.inbound.applied import applied
from cloud.conductor.inbound.gate import gate
from cloud.conductor.inbound.reports import reports
from cloud.conductor.reconcile import losses, restored
from cloud.config.celery import app as conductor_app
from compute_agent.drivers.base import PowerState
from compute_agent.observations import changed_power_report, full_power_report, host_report, residue
from compute_agent.tasks import register
from contracts.broker import celery_settings
from contracts.routing import CONDUCTOR_QUEUE, INBOUND_QUEUE, SCHEDULER_QUEUE, compute_queue, slow_compute_queue
from tests.chaos.sim import schedulers
from tests.chaos.sim.boundaries import Boundaries, Killed
from tests.chaos.sim.clock import Clock
from tests.chaos.sim.database import Database
from tests.chaos.sim.errands import Errands
from tests.chaos.sim.hosts import FakeHost, running
from tests.chaos.sim.redis_memory import Backend, MemoryRedis
from tests.chaos.sim.wire import Channel, Message, Wire, name_of, redelivered

RESTART_SECONDS = 5.0
REPORT_SECONDS = 10.0
FULL_REPORT_SECONDS = 60.0
_STEP_SECONDS = 0.01
_LANE_THREADS = 16


class Violation(Exception):
    """Something that must never be."""


def _forget() -> None:
    """Forget what the conductor's process knows of hosts, as its end does."""
    host_reports._written.clear()
    for memory in (reports, applied, heartbeats, background.teller):
        memory.__init__()


class World:
    """The processes, and how time passes for them.

    Attributes:
        has_operator_spoken: whether somebody said that a server is in ERROR, which needs no other reason.
        has_strays: whether hosts were told what was for others; what they answer must be refused.
        redelivers: whether the message that a killed process held comes again at once, or when Redis gives it up.
    """

    def __init__(self, seed: int, hosts: int = 3) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        entropy = random.Random(seed)
        # The second is what `secrets` takes its chances from.
        os.urandom = random._urandom = entropy.randbytes
        random.seed(seed)
        self.clock = Clock()
        self.clock.install()
        self.boundaries = Boundaries()
        self.redis = MemoryRedis(self.clock.time)
        self.wire = Wire(self.clock, self.boundaries, self.redis)
        self.errands = Errands(self.clock)
        self.violations: list[str] = []
        self.database = Database(self.clock, self.boundaries, self.violations.append)
        names = [f"host-{number}" for number in range(1, hosts + 1)]
        self.hosts = [FakeHost(name, self.clock, self.boundaries, self._look) for name in names]
        self.errors: list[str] = []
        self.down: set[str] = set()
        self.has_strays = False
        self.redelivers = False
        self.steps = 0
        self.calm_at = self.clock.now
        self.has_operator_spoken = False
        self._deferred: list[Callable[[], None]] = []
        self._connect()
        _forget()
        for host in self.hosts:
            host.enroll(host_credentials.enroll(host.name).key)
        self.scheduler = schedulers.start(self.redis, seed)
        self._channel = self._open_channel()
        self._agent_apps = {host.name: self._agent_app(host) for host in self.hosts}
        self._start_clockwork()

    def _connect(self) -> None:
        Channel.wire = self.wire
        Backend.memory = self.redis
        decoding = self.redis.decoding()
        host_feed._client = broker_users._client_of = lambda url: self.redis
        presence.client_of = losses.client_of = restored.client_of = lambda url: decoding
        self.configure(conductor_app)

    @staticmethod
    def configure(app: Celery) -> None:
        app.conf.update(
            broker_transport=None, broker_url="simulated://", result_backend="tests.chaos.sim.redis_memory:Backend",
            task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1}, worker_send_task_events=False,
        )

    def _open_channel(self) -> Any:
        connection = conductor_app.connection_for_read()
        return connection.channel()

    def _agent_app(self, host: FakeHost) -> Celery:
        app = Celery("compute_agent", set_as_current=False)
        app.conf.update(celery_settings("redis://127.0.0.1:1/0"))
        self.configure(app)
        register(app, host.agent)
        return app

    def _start_clockwork(self) -> None:
        for entry in conductor_app.conf.beat_schedule.values():
            self.clock.every(entry["schedule"], lambda entry=entry: self.beat(entry))
        for host in self.hosts:
            host.on_change = self._report_changes_soon
            self.clock.every(REPORT_SECONDS, lambda host=host: self.report(host, self._host_report))
            self.clock.every(FULL_REPORT_SECONDS, lambda host=host: self.report_all(host))
        self.clock.every(1.0, self._look_behind)

    def _look_behind(self) -> None:
        if "conductor" not in self.down:
            self.act("conductor", host_reports.write_heartbeats)
            self.act("conductor", background.repeat_what_was_lost)
            self.act("conductor", applied.write)
            self.act("conductor", background.teller.look)

    def beat(self, entry: dict[str, Any]) -> None:
        def send() -> None:
            conductor_app.send_task(entry["task"], retry=False, **entry["options"])

        if "beat" not in self.down:
            self.act("beat", send)

    def report_all(self, host: FakeHost) -> None:
        self.report(host, lambda one: full_power_report(one.host))
        self.report(host, lambda one: [residue(one.host)])

    def report(self, host: FakeHost, make: Callable[[FakeHost], Any]) -> None:
        if not host.is_agent_up:
            return
        app = self._agent_apps[host.name]

        def send() -> None:
            for message in make(host):
                wire = host.agent.signed(message.NAME, message.to_wire())
                app.send_task(
                    message.NAME, args=[wire], queue=INBOUND_QUEUE, expires=2 * FULL_REPORT_SECONDS, retry=False,
                    ignore_result=True,
                )  # fmt: skip
            host.silence.end()

        self.act("agent", send, host.name)

    @staticmethod
    def _host_report(host: FakeHost) -> Any:
        yield host_report(host.host, "127.0.0.1", host.started_at)

    def report_host(self, host: FakeHost) -> None:
        self.report(host, self._host_report)

    def _report_changes_soon(self, host: FakeHost) -> None:
        def send() -> None:
            changes, host.changes = host.changes, {}
            self.report(host, lambda one: changed_power_report(one.host, changes))

        self.clock.after(1.0, send)

    def act(self, process: str, job: Callable[[], Any], host: str = "") -> bool:
        """Let a process do something of its own accord; what Redis or the database refuse is its own to bear."""
        before = self._enter(process, host, "")
        try:
            job()
        except Killed:
            return False
        except Exception:  # noqa: BLE001 - the real ones log it and go on
            return False
        finally:
            self._enter(*before)
        return True

    def _enter(self, process: str, host: str = "", where: str = "") -> tuple[str, str, str]:
        found = self.boundaries
        before = (found.process, found.host, found.where)
        found.process, found.host, found.where = process, host, where
        return before

    def step(self) -> bool:
        """Carry out one message, or let one waiting order go on; tell whether anything could be done."""
        self._wake()
        queues = [queue for queue in self.wire.waiting() if self._is_served(queue)]
        if not queues:
            return False
        queue = self.rng.choice(queues)
        message = self.wire.take(queue)
        if message is not None:
            self.steps += 1
            self.clock.now += _STEP_SECONDS
            self._carry_out(queue, message)
        return True

    def _wake(self) -> None:
        for host in self.hosts:
            for errand in [one for one in host.errands if one.wakes_at <= self.clock.now]:
                if errand in host.errands:  # else it went with its agent, which an errand before it has killed
                    self._resume(host, errand)

    def _resume(self, host: FakeHost, errand: Any) -> None:
        before = self._enter("agent", host.name, errand.label)
        try:
            errand.go()
        finally:
            self._enter(*before)
        self._settle(host, errand)

    def _is_served(self, queue: str) -> bool:
        if queue in (CONDUCTOR_QUEUE, INBOUND_QUEUE):
            return "conductor" not in self.down
        if queue == SCHEDULER_QUEUE:
            return "scheduler" not in self.down and self.scheduler.is_ready()
        host = self.host_of(queue)
        return host is not None and host.is_agent_up and len(host.errands) < _LANE_THREADS

    def host_of(self, queue: str) -> FakeHost | None:
        for host in self.hosts:
            if queue in (compute_queue(host.name), slow_compute_queue(host.name)):
                return host
        return None

    def _carry_out(self, queue: str, message: Message) -> None:
        host = self.host_of(queue)
        if host is not None:
            self._send_out(host, queue, message)
            return
        opened = self._opened(message) if queue == INBOUND_QUEUE else message
        if opened is None:
            self.act("conductor", reports.write)
            return
        process = "scheduler" if queue == SCHEDULER_QUEUE else "conductor"
        app = self.scheduler.app if process == "scheduler" else conductor_app
        self._serve(process, "", lambda: self._run(app, queue, opened), message, queue)

    def _opened(self, message: Message) -> Message | None:
        """Let a host's word through the gate, as the conductor's transport does; hosts here say nothing forbidden."""
        refused = gate.refused
        opened = gate.admit(json.dumps(message).encode())
        if gate.refused != refused and not self.has_strays:
            self.violations.append(f"the gate refused {name_of(message)}")
        return opened

    def _serve(self, process: str, host: str, job: Callable[[], None], message: Message, queue: str) -> None:
        before = self._enter(process, host, name_of(message))
        try:
            job()
        except Killed:
            self._lose(queue, message)
        finally:
            self._enter(*before)

    def _run(self, app: Celery, queue: str, message: Message) -> None:
        """Carry out a message as a worker does: take, trace, acknowledge."""
        self.boundaries.cross("take", name_of(message))
        received = self._channel.Message(message, channel=self._channel)
        task = app.tasks[message["headers"]["task"]]
        Request(received, app=app, task=task, hostname=f"{self.boundaries.process}@simulation").execute()
        self.boundaries.cross("ack", name_of(message))
        if self.redis.is_away:
            self.wire.keep_unacknowledged(queue, message)

    def _send_out(self, host: FakeHost, queue: str, message: Message) -> None:
        app = self._agent_apps[host.name]
        errand = self.errands.make(lambda: self._run(app, queue, message))
        errand.label, errand.queue, errand.message = name_of(message), queue, message
        host.errands.append(errand)
        before = self._enter("agent", host.name, errand.label)
        try:
            errand.start()
        finally:
            self._enter(*before)
        self._settle(host, errand)

    def _settle(self, host: FakeHost, errand: Any) -> None:
        if not errand.is_over:
            return
        if errand in host.errands:
            host.errands.remove(errand)
        if isinstance(errand.error, Killed):
            self._lose(errand.queue, errand.message)
        elif errand.error is not None:
            raise errand.error

    def _lose(self, queue: str, message: Message) -> None:
        if self.redelivers:
            self.clock.after(0.5, lambda: self.wire.enqueue(queue, redelivered(message)))
        else:
            self.wire.keep_unacknowledged(queue, message)

    def kill(self, process: str, host: str = "", seconds: float = RESTART_SECONDS) -> None:
        """End a process at once; it is started again a moment later. Whoever is that process must raise Killed."""
        if process == "agent":
            self._kill_agent(self.host_named(host), seconds)
            return
        self.database.drop_work()
        if process == "api":
            return
        self.down.add(process)
        if process == "conductor":
            _forget()
        self.clock.after(seconds, lambda: self._revive(process))

    def _revive(self, process: str) -> None:
        self.down.discard(process)
        if process == "conductor":
            self.act("conductor", background._repeat)
        if process == "scheduler":
            self.scheduler = schedulers.start(self.redis, self.rng.randrange(2**32))

    def _kill_agent(self, host: FakeHost, seconds: float) -> None:
        host.is_agent_up = False
        current = self.errands.current
        for errand in [one for one in host.errands if one is not current]:
            errand.is_doomed = True
            self._resume(host, errand)
        self.clock.after(seconds, lambda: self._revive_agent(host))

    def _revive_agent(self, host: FakeHost) -> None:
        if host.is_agent_up:
            return
        host.restart_agent()
        self.report_host(host)
        self.report_all(host)

    def host_named(self, name: str) -> FakeHost:
        return next(host for host in self.hosts if host.name == name)

    def cut_power(self, host: FakeHost) -> None:
        """Let a machine be off, with its guests, until somebody switches it on."""
        self.kill("agent", host.name, seconds=float("inf"))
        for uuid, state in host.domains().items():
            if state is PowerState.RUNNING:
                host.driver.crash(uuid)
        host.silence.note_boot(f"after {self.clock.now}")

    def switch_on(self, host: FakeHost) -> None:
        """Let a machine be on again; its guests are off, and its agent starts."""
        self._revive_agent(host)

    def trouble_until(self, seconds: float) -> None:
        """Note that what goes wrong now is over so much later."""
        self.calm_at = max(self.calm_at, self.clock.now + seconds)

    def defer(self, job: Callable[[], None]) -> None:
        """Do something as soon as the process whose turn it is has done what it does."""
        self._deferred.append(job)

    def _do_deferred(self) -> None:
        while self._deferred:
            self._deferred.pop(0)()

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False, most_steps: int = 20_000) -> bool:
        """Let things happen for so long, or until something is so; tell whether it came to be."""
        end, steps = self.clock.now + seconds, self.steps + most_steps
        while self.clock.now < end:
            self.clock.run_due()
            self._do_deferred()
            if self.step():
                if self.steps > steps:
                    self.violations.append(f"{most_steps} messages and no end")
                    return False
                continue
            self.scheduler.follow()
            if self.wire.waiting() and any(self._is_served(queue) for queue in self.wire.waiting()):
                continue
            if until():
                return True
            wakes_at = [one.wakes_at for host in self.hosts for one in host.errands]
            nearest = min(wakes_at, default=float("inf")) - self.clock.now
            self.clock.leap(max(min(end - self.clock.now, nearest), 0.001))
        return until()

    def _look(self) -> None:
        """See after every effect on a host that no guest runs twice."""
        places: dict[str, list[str]] = {}
        for uuid, host in running(self.hosts):
            places.setdefault(uuid, []).append(host)
        for uuid, where in places.items():
            if len(where) > 1:
                self.violations.append(f"I6: {uuid} runs on {', '.join(where)} at the same time")
