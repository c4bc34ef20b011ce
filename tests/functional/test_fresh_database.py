"""A fresh database is made from the models, an older one by migrations; both come to the same."""

import os
import subprocess
import sys

import pytest

from tests.fixtures.clouds import CHECKOUT
from tests.fixtures.schemas import contents, databases

MIGRATE = "migrate --no-input --skip-checks"
# What a cloud of the first release had.
_FIRST = [f"{MIGRATE} {app} 0001" for app in ("core", "identity", "placement", "images", "networks", "compute")]


@pytest.fixture
def urls(tmp_path):
    with databases(str(tmp_path), os.environ.get("DATABASE_URL", ""), 2) as made:
        yield made


@pytest.fixture
def manage(tmp_path):
    def run(url: str, *arguments: str) -> str:
        environment = {**os.environ, "NOVELLA_STATE_DIR": str(tmp_path), "DATABASE_URL": url}
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_fresh_database_is_what_migrations_make_of_an_older_one(urls, manage):
    fresh, older = urls
    assert "Made the tables of a fresh database" in manage(fresh, "in_turn", MIGRATE)
    said = manage(older, "in_turn", *_FIRST, MIGRATE)
    assert "fresh" not in said
    assert said.index("Applying compute.0001") < said.index("Applying compute.0002")
    assert contents(fresh) == contents(older)


def test_nothing_is_left_to_apply_and_a_migration_can_be_taken_back(urls, manage):
    fresh, _ = urls
    said = manage(fresh, "in_turn", f"{MIGRATE} -v 0", MIGRATE, "makemigrations --check --dry-run")
    assert "No migrations to apply" in said
    assert "No changes detected" in said
    before = contents(fresh)
    manage(fresh, "in_turn", f"{MIGRATE} networks 0010")
    assert contents(fresh) != before
    manage(fresh, "in_turn", MIGRATE)
    assert contents(fresh) == before


def test_what_is_broken_off_leaves_nothing(urls, manage):
    """So the next try finds a fresh database again."""
    fresh, _ = urls
    failing = (
        "from django.db import connection; from cloud.core import fresh_database as made\n"
        "from django.db.migrations.recorder import MigrationRecorder as recorder\n"
        "recorder.migration_qs = None\n"
        "try: made.make_tables(connection)\n"
        "except AttributeError: print('broken off', made.is_fresh(connection))"
    )
    assert "broken off True" in manage(fresh, "shell", "-v", "0", "-c", failing)
    assert "Made the tables" in manage(fresh, "in_turn", MIGRATE)
