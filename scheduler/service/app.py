"""Puts the parts together: settings, table, feed, Celery app, worker. The only place that knows them all."""

import os
import socket

from celery import Celery

from contracts.broker import celery_settings
from contracts.conductor import SEND_HOST_SNAPSHOT
from contracts.routing import CONDUCTOR_QUEUE, SCHEDULER_QUEUE
from scheduler.core.policies import POLICIES
from scheduler.service.feed import HostFeed
from scheduler.service.known_hosts import KnownHosts
from scheduler.service.settings import Settings
from scheduler.service.tasks import register_tasks


class SchedulerService:
    """A scheduler that is ready to run. `app` is its Celery app, `feed` fills `hosts` once it is started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = Celery("scheduler", set_as_current=False, fixups=set())
        self.app.conf.update(celery_settings(settings.redis_url))
        self.hosts = KnownHosts(settings.promise_seconds, policy=POLICIES[settings.placement])
        self.feed = HostFeed(settings, self.hosts, self._ask_for_snapshot)
        register_tasks(self.app, self.hosts, self.feed, settings.snapshot_wait_seconds)

    def run(self) -> int:
        """Work until the process is told to end; return the exit status.

        One thread decides, so the table has one writer of choices.
        """
        self.feed.start()
        try:
            worker = self.app.Worker(
                hostname=f"scheduler-{os.getpid()}@{socket.gethostname()}",
                pool="threads",
                concurrency=1,
                queues=[SCHEDULER_QUEUE],
                without_gossip=True,
                without_mingle=True,
                loglevel="INFO",
            )
            worker.start()
            return int(worker.exitcode or 0)
        finally:
            self.feed.stop()

    def _ask_for_snapshot(self) -> None:
        self.app.send_task(SEND_HOST_SNAPSHOT, queue=CONDUCTOR_QUEUE, ignore_result=True)
