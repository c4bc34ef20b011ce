"""Beat's Celery app: it sends by name what is due, so it knows the schedule and no task (ADR 154)."""

import os

from celery import Celery

from cloud.conductor.schedule import SCHEDULE
from cloud.config.environment import load_environment
from contracts.broker import celery_settings

load_environment()
os.environ["DJANGO_SETTINGS_MODULE"] = "cloud.config.beat_settings"

app = Celery("novella-beat", fixups=["cloud.core.kept_connections:fixup"])
app.conf.update(celery_settings(os.environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"))
app.conf.beat_schedule = SCHEDULE
