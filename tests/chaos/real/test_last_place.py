"""More servers are asked for than there are places, all at once, before four schedulers and four conductors."""

import os
import time
from collections import Counter

import pytest

from tests.chaos.real.bursts import Burst
from tests.chaos.real.client import SERVERS
from tests.chaos.real.clouds import ChaosCloud
from tests.chaos.real.conftest import IS_FULL
from tests.chaos.real.postgres import PostgresServer
from tests.fixtures.clouds import wait_until

HOSTS, PLACES = (27, 37) if IS_FULL else (9, 11)
CLIENTS = 100 if IS_FULL else 25
MEMORY_MB, RESERVED_MB = 96, 512
OF_EACH = 4


@pytest.fixture(params=["postgresql", "sqlite"] if IS_FULL else ["postgresql"])
def cloud(request, tmp_path_factory):
    """Hosts with room for so many of the smallest flavor and no more."""
    size = f"vcpus=64,memory_mb={RESERVED_MB + PLACES * MEMORY_MB},disk_gb=2000"
    postgres = PostgresServer() if request.param == "postgresql" else None
    one = ChaosCloud(
        tmp_path_factory.mktemp("last-place"), "fake", HOSTS, postgres=postgres, NOVELLA_FAKE_INVENTORY=size
    )
    try:
        one.up()
        for _ in range(OF_EACH - 1):
            one.start_more("cloud.conductor")
            one.start_more("scheduler")
        one.database = request.param
        yield one
    except AssertionError:
        print(one.logs())
        raise
    finally:
        one.end()


@pytest.mark.timeout(900)
def test_all_places_are_filled_and_none_twice(cloud):
    _make_room(cloud)
    wanted = HOSTS * PLACES + 1
    burst = Burst(cloud, "place", wanted, network="wide")
    began = time.monotonic()
    burst.run(threads=CLIENTS, patience=300)
    accepted = time.monotonic() - began
    statuses = burst.settle(300)
    print(
        f"\n{wanted} creates by {CLIENTS} clients for {wanted - 1} places, {OF_EACH} schedulers, {OF_EACH} conductors,"
        f" {cloud.database}: {dict(statuses)}; all accepted after {accepted:.1f} s, settled after"
        f" {time.monotonic() - began:.1f} s (load {os.getloadavg()[0]:.1f})"
    )
    assert statuses == {"ACTIVE": wanted - 1, "ERROR": 1}, burst.explain()
    _is_explained(burst)
    guests = Counter(path.parts[-3] for path in (cloud.state_dir / "fake").glob("*/domains/*.json"))
    assert set(guests.values()) == {PLACES}, guests
    cloud.wait_for_content(90)


def _make_room(cloud):
    """Delete the demo's server, and make a network that is wide enough."""
    client = cloud.client
    first = client.call("GET", f"{SERVERS}?name=first").body["servers"][0]["id"]
    client.call("DELETE", f"{SERVERS}/{first}")
    wait_until(lambda: client.call("GET", f"{SERVERS}/{first}").status == 404, "the first server to be gone")
    network = client.call("POST", "/network/v2.0/networks", {"network": {"name": "wide"}}).body["network"]["id"]
    subnet = {"subnet": {"network_id": network, "cidr": "10.64.0.0/16", "ip_version": 4}}
    assert client.call("POST", "/network/v2.0/subnets", subnet).status == 201
    wait_until(lambda: cloud.workers_ready() == 2 * (OF_EACH - 1), "the other workers to be there", 60)


def _is_explained(burst):
    (refused,) = [one for one in burst.servers().values() if one["status"] == "ERROR"]
    message = refused["fault"]["message"]
    print(f"the refusal: {message}")
    assert "No valid host" in message
    assert str(HOSTS) in message
    assert "memory" in message
