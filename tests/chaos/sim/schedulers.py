"""A scheduler as it is: its core, its table, its feed; only the thread that reads the feed is the run's own."""

from typing import Any

import numpy as np
from celery import Celery

from scheduler.service.app import SchedulerService
from scheduler.service.settings import Settings
from tests.chaos.sim.redis_memory import MemoryRedis


class Scheduler:
    """A scheduler that reads its feed when it is looked at."""

    def __init__(self, service: SchedulerService, redis: MemoryRedis) -> None:
        self.service, self._redis = service, redis
        self.app: Celery = service.app
        self._waits_until = float("inf")

    def follow(self) -> None:
        """Read what the feed has, as its thread does every moment."""
        if self._redis.is_away:
            return
        try:
            self.service.feed._step()
            self.service.feed._step()
        except Exception:  # noqa: BLE001 - the thread logs it and goes on
            return

    def is_ready(self) -> bool:
        """Tell whether it would answer now: with all hosts known."""
        self.follow()
        return bool(self.service.hosts.is_filled)


def start(redis: MemoryRedis, seed: int) -> Scheduler:
    """Return a scheduler that has just begun, and knows nothing."""
    service: Any = SchedulerService(Settings(redis_url="redis://127.0.0.1:1/0", snapshot_wait_seconds=0.0))
    service.app.conf.update(
        broker_transport=None, broker_url="simulated://", result_backend="tests.chaos.sim.redis_memory:Backend",
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1}, worker_send_task_events=False,
    )  # fmt: skip
    service.hosts._rng = np.random.default_rng(seed)
    service.feed._client.close()
    service.feed._client = redis
    return Scheduler(service, redis)
