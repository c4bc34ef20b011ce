"""The Celery app that Flower looks through: settings only, so that the dashboard loads no Django."""

import os

from celery import Celery
from flower.views.monitor import Metrics
from tornado.web import authenticated

from contracts.broker import celery_settings

app = Celery("novella-flower", fixups=set())
app.conf.update(celery_settings(os.environ["REDIS_URL"]))

# Flower would show its metrics, which name every worker and task, to whoever asks.
Metrics.get = authenticated(Metrics.get)
