"""`manage.py` where there is no cloud: a sentence that says what to look at, no trace of where it broke."""

import os
import subprocess
import sys

import pytest

from tests.fixtures.clouds import CHECKOUT, FOREIGN


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no such table"),
        ("postgresql://u:p@127.0.0.1:1/x", "127.0.0.1"),
        ("mysql://u:p@127.0.0.1/x", "must begin with sqlite:// or postgresql://, not mysql://"),
        ("novella.sqlite3", "must begin with sqlite:// or postgresql://, not 'novella.sqlite3'"),
    ],
)
def test_a_cloud_that_is_not_there_is_said_to_be(tmp_path, url, says):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment |= {"NOVELLA_STATE_DIR": str(tmp_path), "DATABASE_URL": url}
    done = subprocess.run(
        [sys.executable, "manage.py", "audit"], cwd=CHECKOUT, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_whoever_has_seen_enough_may_leave(tmp_path):
    """As `manage.py audit --list | head -1` does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment["NOVELLA_STATE_DIR"] = str(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        done = subprocess.run(
            [sys.executable, "manage.py", "audit", "--list"], cwd=CHECKOUT, env=environment, stdout=nobody,
            stderr=subprocess.PIPE, text=True, timeout=300, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
