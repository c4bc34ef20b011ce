"""The agent's Celery app and worker: its queues, its threads, and who hears when it is ready.

An agent with a credential touches two kinds of keys in Redis: its own queues, and the conductor's inbound queue, which
it can only write to. It has no result backend.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from celery import Celery, Task
from celery.signals import task_prerun, task_success, worker_ready, worker_shutdown, worker_shutting_down
from redis import Redis

from compute_agent.broker import TRANSPORT
from compute_agent.clock import BrokerClock
from compute_agent.credential import Credential, redis_address
from compute_agent.ending import Ending
from compute_agent.following import Following
from compute_agent.reports import Report, Reporter
from compute_agent.settings import Settings
from compute_agent.tasks import Agent, register
from compute_agent.unheard import Unheard
from compute_agent.upkeep import Upkeep
from compute_agent.watchdog import Line, Watchdog
from contracts.broker import celery_settings, own_keys
from contracts.compute import ECHO
from contracts.routing import CONDUCTOR_QUEUE, INBOUND_QUEUE

log = logging.getLogger(__name__)

_PING_SECONDS = 5


def broker_clock(settings: Settings) -> BrokerClock:
    """Return the clock that orders are judged by."""
    address = redis_address(settings)
    redis = Redis.from_url(**address, socket_timeout=_PING_SECONDS, socket_connect_timeout=_PING_SECONDS)

    def read() -> float:
        seconds, microseconds = redis.time()
        return float(seconds) + microseconds / 1e6

    return BrokerClock(read)


def build_app(settings: Settings, agent: Agent) -> Celery:
    """Return the app with a task for each command."""
    app = Celery("compute_agent", set_as_current=False, fixups=set())
    app.conf.update(celery_settings(settings.redis_url))
    # A silent broker is waited for: connecting anew is done after growing pauses, in which the watchdog hears nothing.
    app.conf.broker_transport_options |= {"socket_timeout": None}
    if settings.key:
        app.conf.update(broker_transport=TRANSPORT, result_backend=None)
        app.conf.broker_transport_options |= own_keys(settings.credential, settings.lanes)
    if settings.credential_file:
        app.conf.broker_transport_options |= {"credential_provider": Credential(settings)}
    # No remote control: a broadcast would reach every agent, and an agent may read its own queues only.
    app.conf.update(worker_enable_remote_control=False, worker_pool="threads", worker_concurrency=settings.threads)
    register(app, agent)
    return app


class AgentProcess:
    """A worker with its reports and its watchdog, from start to end."""

    def __init__(self, settings: Settings, agent: Agent, clock: BrokerClock) -> None:
        self.settings = settings
        self.agent = agent
        self.clock = clock
        self.app = build_app(settings, agent)
        self._watchdog = self._build_watchdog()
        self._reporter = self._build_reporter() if settings.is_reporting else None
        self._upkeep = Upkeep(agent.stations.values(), settings.full_report_seconds)
        self._following = Following(agent.stations.values())
        self._unheard = Unheard(agent)

    def run(self) -> int:
        """Work until told to end by SIGTERM or SIGINT; return the exit code."""
        worker_ready.connect(self._on_ready, weak=False)
        worker_shutdown.connect(self._on_shutdown, weak=False)
        worker = self.app.Worker(
            hostname=f"{'-'.join(self.settings.lanes)}@{self._name()}",
            queues=list(self.settings.queues),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
            loglevel=self.settings.log_level,
        )
        self._ending = Ending(worker, lambda: self.agent.workload.count)
        worker_shutting_down.connect(self._on_shutting_down, weak=False)
        worker.start()
        return int(worker.exitcode or 0)

    def _name(self) -> str:
        hosts = self.settings.hosts
        return hosts[0] if len(hosts) == 1 else f"{hosts[0]}..{hosts[-1]}"

    def _on_ready(self, **_: Any) -> None:
        log.info("ready: %d hosts, %s", len(self.settings.hosts), " ".join(self.settings.queues[:4]))
        self._watchdog.start()
        if self._reporter:  # the other lane's process leaves both to this one
            self._reporter.start()
            self._upkeep.start()
            self._following.start()
            # Celery sends the second once the broker has what a task leads to.
            task_prerun.connect(self._on_order, weak=False)
            task_success.connect(self._on_answer, weak=False)
            self._unheard.start()

    def _on_shutting_down(self, **_: Any) -> None:
        self._watchdog.stop()  # nobody hears the echo any more
        self._ending.begin()

    def _on_shutdown(self, **_: Any) -> None:
        self._watchdog.stop()
        self._upkeep.stop()
        self._following.stop()
        self._unheard.stop()
        if self._reporter:
            self._reporter.stop()

    def _on_order(self, task: Task, args: list[Any], **_: Any) -> None:
        self._unheard.begin(task.name, args[0] if args else None)

    def _on_answer(self, sender: Task, **_: Any) -> None:
        arguments = sender.request.args
        self._unheard.heard(sender.name, arguments[0] if arguments else None)

    def _build_watchdog(self) -> Watchdog:
        queue = self.settings.queues[0]
        threads, workload = self.settings.threads, self.agent.workload
        line = Line(
            call=lambda: self._send(ECHO, [], queue),
            is_broker_up=self._is_broker_up,
            is_busy=lambda: workload.count >= threads,
            is_stuck=lambda: 0 < workload.overdue >= threads / 2,
        )
        watchdog = Watchdog(line, self.settings.echo_seconds, self.settings.echo_limit_seconds)
        # No events: nobody watches in Flower how ten thousand agents speak to themselves.
        self.app.task(watchdog.hear, name=ECHO, shared=False, send_events=False)
        return watchdog

    def _build_reporter(self) -> Reporter:
        hosts = [station.host for station in self.agent.stations.values()]
        return Reporter(hosts, self.settings, self._publish)

    def _is_broker_up(self) -> bool:
        self.clock.measure()
        return True

    def _publish(self, report: Report) -> None:
        # The conductor judges by its own clock, so this one must be told by the same.
        wanted_until = datetime.fromtimestamp(self.clock.now() + 2 * self.settings.full_report_seconds, UTC)
        wire = self.agent.signed(report.NAME, report.to_wire())
        queue = INBOUND_QUEUE if self.settings.key else CONDUCTOR_QUEUE
        self._send(report.NAME, [wire], queue, expires=wanted_until)

    def _send(self, name: str, args: list[Any], queue: str, **options: Any) -> None:
        """Publish once, without Celery's retries: whoever waits for a broker here would stop watching."""
        # Nothing is declared: a queue is reached by its name. Nothing is shown: the text of a report is long to make.
        self.app.send_task(
            name, args=args, queue=queue, retry=False, ignore_result=True, declare=[], argsrepr="()", **options
        )
