"""The Celery app that Flower looks through: settings only, so that the dashboard loads no Django. It looks, no more."""

import os
from typing import Any, NoReturn

from celery import Celery
from flower.api import control, tasks
from flower.views import BaseHandler
from flower.views.monitor import Metrics
from tornado.web import HTTPError, authenticated

from contracts.broker import celery_settings

app = Celery("novella-flower", fixups=set())
app.conf.update(celery_settings(os.environ["REDIS_URL"]))

# Flower would show its metrics, which name every worker and task, to whoever asks.
Metrics.get = authenticated(Metrics.get)


def _refuse(self: BaseHandler, *_: Any) -> NoReturn:
    raise HTTPError(403, "Flower is for looking only: what is under way is ended and begun through the API")


# It would send any task and end any worker for whoever has the password, and for every page that his browser shows.
for module in (control, tasks):
    for handler in vars(module).values():
        if isinstance(handler, type) and issubclass(handler, BaseHandler) and "post" in vars(handler):
            handler.post = authenticated(_refuse)
