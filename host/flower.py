"""The Celery app that Flower looks through: settings only, so that the dashboard loads no Django."""

import os

from celery import Celery

from contracts.broker import celery_settings

app = Celery("novella-flower")
app.conf.update(celery_settings(os.environ["REDIS_URL"]))
