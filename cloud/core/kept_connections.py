"""A worker's connections to the database, kept from one task to the next as Django keeps them between requests.

Celery's own fixup closes them before and after every task, which costs more than many a task does. It also has Django
check the project at each start, for which every route, view and page of the API is loaded and then stays in memory.
"""

from functools import cached_property
from typing import Any

from celery import Celery
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup
from django.db import close_old_connections


class KeptConnections(DjangoWorkerFixup):
    """Celery's own, but a connection lives until it fails or is as old as CONN_MAX_AGE says."""

    def close_database(self, **_: Any) -> None:
        """Let go of what cannot be used any more."""
        close_old_connections()

    def validate_models(self) -> None:
        """Set Django up, and leave what `manage.py check` says to the tests."""
        self.django_setup()


class _Fixup(DjangoFixup):
    @cached_property
    def worker_fixup(self) -> DjangoWorkerFixup:
        return KeptConnections(self.app)


def fixup(app: Celery) -> DjangoFixup:
    """Install Celery's fixup for Django with these connections."""
    return _Fixup(app).install()
