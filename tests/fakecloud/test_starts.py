"""`make up` in two steps: the API first, then what would take the processors from it."""

import pytest

from host import supervision
from tests.fixtures.clouds import LocalCloud

FIRST = {"redis", "api", "conductor"}
ALL = FIRST | {"scheduler", "beat", "agents", "flower"}


@pytest.fixture
def cloud(tmp_path):
    one = LocalCloud(tmp_path, "fake")
    try:
        one.host("up")
        yield one
    finally:
        one.end()


def started(cloud):
    """Return the processes that the supervisor has started."""
    return {one["name"] for one in supervision.processes(cloud.settings) if one["statename"] != "STOPPED"}


def test_a_start_that_was_broken_off_is_completed_by_the_next(cloud):
    assert started(cloud) == ALL
    cloud.host("down")
    supervision.start(cloud.settings)  # and there the person pressed Ctrl-C
    assert {one["name"] for one in supervision.processes(cloud.settings)} == FIRST
    assert "running already" in cloud.host("up")
    assert started(cloud) == ALL
    pids = {one["name"]: one["pid"] for one in supervision.processes(cloud.settings)}
    cloud.host("up")
    assert {one["name"]: one["pid"] for one in supervision.processes(cloud.settings)} == pids
