"""The control plane's Celery app: publishes from the API, works as conductor, beats the reconcilers."""

import os

from celery import Celery

from cloud.conductor.schedule import SCHEDULE
from cloud.config.environment import load_environment
from contracts.broker import celery_settings
from contracts.routing import CONDUCTOR_QUEUE

load_environment()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloud.config.settings")

app = Celery("novella", fixups=["cloud.core.kept_connections:fixup"])
app.conf.update(celery_settings(os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"))
app.conf.broker_transport = "cloud.conductor.inbound.transport:Transport"
app.loader.override_backends = dict.fromkeys(("redis", "rediss"), "cloud.core.backend:Backend")
app.conf.task_default_queue = CONDUCTOR_QUEUE
app.conf.beat_schedule = SCHEDULE
app.autodiscover_tasks(["cloud.conductor"])
