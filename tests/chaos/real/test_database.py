"""PostgreSQL is killed, stalled, or has no connection left: 503 with Retry-After, then everything goes on."""

import contextlib
import threading
import time

import pytest

from tests.chaos.real.bursts import Burst
from tests.chaos.real.client import SERVERS
from tests.chaos.real.conftest import IS_FULL

SERVERS_IN_BURST = 40 if IS_FULL else 12
AWAY_SECONDS = 30 if IS_FULL else 10
# However long the database is away, nobody waits longer than this for an answer.
BOUND_SECONDS = 15
SETTLED_SECONDS = 60


@contextlib.contextmanager
def killed(postgres):
    postgres.kill()
    try:
        yield
    finally:
        postgres.start()


TROUBLES = {
    "killed": killed, "stalled": lambda one: one.stalled(), "out of connections": lambda one: one.crowded()
}


@pytest.fixture
def cloud(fake_cloud):
    fake_cloud.wait_until_whole()
    return fake_cloud


@pytest.mark.parametrize("what", TROUBLES)
def test_it_says_so_and_goes_on(cloud, what):
    burst = Burst(cloud, "database-" + what.replace(" ", "-"), SERVERS_IN_BURST)
    answers = []

    def happen():
        with TROUBLES[what](cloud.postgres):
            answers.extend(_ask_meanwhile(cloud))

    burst.run(happen, after=SERVERS_IN_BURST // 2)
    back = time.monotonic()
    refusals = [one for one in answers if one.status == 503]
    print(
        f"\nPostgreSQL {what} for {AWAY_SECONDS} s: {len(refusals)} of {len(answers)} answers are 503, the slowest took"
        f" {max(one.seconds for one in answers):.1f} s"
    )
    assert {one.status for one in answers} <= {503, 200, 404}, [str(one) for one in answers]
    assert refusals, "nobody noticed"
    assert all("retry-after" in one.headers for one in refusals)
    assert max(one.seconds for one in answers) <= BOUND_SECONDS
    statuses = burst.settle(SETTLED_SECONDS)
    print(f"PostgreSQL {what}: {dict(statuses)} {time.monotonic() - back:.1f} s after the last was accepted")
    assert statuses == {"ACTIVE": SERVERS_IN_BURST}
    assert all(len(cloud.homes(id)) == 1 for id in burst.ids)
    burst.delete()
    cloud.wait_for_content()


def _ask_meanwhile(cloud):
    """Read and write from several clients at once, for as long as the database is away."""
    answers, end = [], time.monotonic() + AWAY_SECONDS

    def ask(method, path, body):
        while time.monotonic() < end:
            answers.append(cloud.client.call(method, path, body, timeout=2 * BOUND_SECONDS))
            time.sleep(0.3)

    nobody = f"{SERVERS}/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    wants = [("GET", f"{SERVERS}/detail", None)] * 3 + [("PUT", nobody, {"server": {"name": "meanwhile"}})] * 2
    wants += [("GET", "/network/v2.0/ports", None), ("GET", "/compute/v2.1/os-keypairs", None)]
    threads = [threading.Thread(target=ask, args=want) for want in wants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
