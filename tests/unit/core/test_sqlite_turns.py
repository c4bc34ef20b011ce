"""Writers of SQLite take turns: each waits for the other, a dead one keeps nobody, and nobody waits for ever."""

import signal
import subprocess
import sys
import threading

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from cloud.config.databases import database_settings
from cloud.core.sqlite.turns import Turn

_HOLD = """
import sys, time
from pathlib import Path
from cloud.core.sqlite.turns import Turn
turn = Turn(Path(sys.argv[1]), 5.0)
assert turn.take()
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def connect(tmp_path, django_db_blocker):
    """Return a function that opens one more connection to a database with a row to count in."""
    settings = database_settings("", tmp_path / "test.sqlite3")
    opened = []

    def open_one(patience_seconds=0.2):
        settings["OPTIONS"]["timeout"] = patience_seconds
        connection = ConnectionHandler({"default": settings}).create_connection("default")
        connection.inc_thread_sharing()
        opened.append(connection)
        return connection

    with django_db_blocker.unblock():
        with open_one().cursor() as cursor:
            cursor.execute("CREATE TABLE counted (number INTEGER)")
            cursor.execute("INSERT INTO counted VALUES (0)")
        yield open_one
        for one in opened:
            one.close()


def add(connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE counted SET number = number + 1")


def count(connection) -> int:
    with connection.cursor() as cursor:
        return cursor.execute("SELECT number FROM counted").fetchone()[0]


def begin(connection) -> None:
    connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)


def test_writers_wait_for_each_other_and_lose_nothing(connect):
    def work(connection) -> None:
        for number in range(50):
            if number % 2:
                add(connection)
                continue
            begin(connection)
            add(connection)
            connection.commit()
            connection.set_autocommit(True)

    threads = [threading.Thread(target=work, args=(connect(100),)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert count(connect()) == 200


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
def test_who_waits_too_long_is_told_and_writes_when_the_other_is_done(connect, end):
    first, second = connect(), connect()
    begin(first)
    add(first)
    with pytest.raises(OperationalError, match="database is locked"):
        add(second)
    with pytest.raises(OperationalError, match="database is locked"):
        begin(second)
    assert count(second) == 0  # readers never wait
    getattr(first, end)()
    add(second)
    assert count(second) == (2 if end == "commit" else 1)


def test_a_statement_that_fails_gives_its_turn_back(connect):
    first, second = connect(), connect()
    with pytest.raises(OperationalError, match="no such table"), first.cursor() as cursor:
        cursor.execute("UPDATE missing SET number = 1")
    add(second)
    assert count(second) == 1


def test_a_process_that_is_killed_gives_its_turn_back(tmp_path):
    path = tmp_path / "turn"
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE)
    turn = Turn(path, 0.1)
    try:
        assert holder.stdout.readline() == b"taken\n"
        assert not turn.take()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert turn.take()
    finally:
        holder.kill()
        holder.stdout.close()
        turn.close()
