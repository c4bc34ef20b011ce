"""The database of a simulation, by the virtual clock, with the boundary before and after every commit."""

import gc
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from tests.chaos.sim.boundaries import Boundaries
from tests.chaos.sim.clock import Clock
from tests.chaos.sim.row_order import RowOrder

_WRITES = ("INSERT", "UPDATE", "DELETE")
# How PostgreSQL is asked for the time; SQLite lives in this process and has a function of ours instead.
_NOW = re.compile(r"statement_timestamp\(\)", re.IGNORECASE)


def set_up_django() -> None:
    """Make Django ready for a database of its own: SQLite in memory, unless DATABASE_URL names a PostgreSQL."""
    os.environ["NOVELLA_STATE_DIR"] = tempfile.mkdtemp(prefix="novella-simulation-")
    os.environ["DJANGO_SETTINGS_MODULE"] = "cloud.config.settings"
    os.environ.setdefault("NOVELLA_LOG_LEVEL", "CRITICAL")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["NAME"] = ":memory:"
    call_command("migrate", verbosity=0, interactive=False)
    _have_one_order()
    let_copies_be_made()
    _import_all()


def _import_all() -> None:
    """Import whatever any process needs, so that forks of this one need not."""
    from celery.app import backends
    from django.urls import get_resolver

    from cloud.config.celery import app

    # Every process of Celery would look through all that is installed for a backend, and only our own is used.
    backends.load_extension_class_names = lambda namespace: ()
    app.loader.import_default_modules()
    get_resolver().reverse_dict  # noqa: B018 - loads the whole API, as its process does with the first request
    gc.collect()
    gc.freeze()


def _have_one_order() -> None:
    """Have PostgreSQL clean no table at a time of its own, nor give rows as they happen to lie there."""
    from django.db import connection

    from tests.chaos.sim.ordering import settle_order

    if connection.vendor == "postgresql":
        settle_order()
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f'ALTER TABLE "{table}" SET (autovacuum_enabled = false)')


def clean_tables() -> None:
    """Do what PostgreSQL would do at a time of its own."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")


def let_copies_be_made() -> None:
    """Leave a database that others are to copy: PostgreSQL copies none that anybody uses."""
    from django.db import connection

    if connection.vendor == "postgresql":
        connection.close()


@contextmanager
def own_copy() -> Iterator[None]:
    """Use a copy of the database for a while, in a fork. What SQLite has in memory the fork itself has copied."""
    from django.db import connection

    if connection.vendor != "postgresql":
        yield
        return
    origin = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name = f"simulation_{os.getpid()}"
    _on_server(f'CREATE DATABASE "{name}" TEMPLATE "{origin}"')
    try:
        yield
    finally:
        connection.close()
        _on_server(f'DROP DATABASE "{name}"')


def _on_server(statement: str) -> None:
    from django.db import connection

    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


class Database:
    """What can happen to a connection.

    Args:
        complain: is told of what no transaction may do.
    """

    def __init__(self, clock: Clock, boundaries: Boundaries, complain: Callable[[str], None]) -> None:
        from django.db import connection

        self._clock, self._boundaries, self.connection = clock, boundaries, connection
        self.is_away = False
        self._complain, self._row_order = complain, RowOrder(connection)
        self._commit: Callable[[], None] = connection._commit
        self._rollback: Callable[[], None] = connection._rollback
        connection._commit, connection._rollback = self._crossing_commit, self._rolling_back
        connection.execute_wrappers.append(self._execute)
        self._set_clock()

    def drop_work(self) -> None:
        """Let the connection break off: what was not committed is gone, and so is what was to follow a commit."""
        if not self.connection.in_atomic_block and not self.connection.get_autocommit():
            self.connection.rollback()
        self.connection.run_on_commit = []

    def come_back(self) -> None:
        self.is_away = False

    def _crossing_commit(self) -> None:
        self._check()
        self._boundaries.cross("commit.before", "transaction")
        self._commit()
        self._row_order.begin_anew()
        self._boundaries.cross("commit.after", "transaction")

    def _rolling_back(self) -> None:
        self._row_order.begin_anew()
        self._rollback()

    def _execute(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self._check()
        if self.connection.vendor == "postgresql":
            sql = _NOW.sub(f"to_timestamp({self._clock.now!r})", sql)
        is_alone = sql.startswith(_WRITES) and not self.connection.in_atomic_block
        if not is_alone:
            answer = execute(sql, params, many, context)
            self._judge(sql, context["cursor"].rowcount)
            return answer
        self._boundaries.cross("commit.before", "statement")
        answer = execute(sql, params, many, context)
        self._boundaries.cross("commit.after", "statement")
        return answer

    def _judge(self, sql: str, row_count: int) -> None:
        """Look at the order of locks; what no process does is the simulation's own."""
        process, where = self._boundaries.process, self._boundaries.where
        breach = self._row_order.breach(sql, row_count)
        if breach and process:
            self._complain(f"{process} {where}: {breach}")

    def _check(self) -> None:
        from django.db import OperationalError

        if self.is_away:
            raise OperationalError("connection to server failed: Connection refused")

    def _set_clock(self) -> None:
        if self.connection.vendor == "sqlite":
            self.connection.ensure_connection()
            self.connection.connection.create_function("STRFTIME", 2, self._strftime)

    def _strftime(self, form: str, when: str) -> str:
        moment = datetime.fromtimestamp(self._clock.now, UTC)
        return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03}"
