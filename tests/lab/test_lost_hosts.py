"""Hosts that are lost, one by its cable and one by its power: their servers go on elsewhere, and only there."""

import pytest

from tests.fixtures.clouds import CommandFailed, wait_until
from tests.fixtures.lab import SETTLE_SECONDS

HERE = {"domain", "running", "tap", "disk", "metadata"}
LOST = {"cable": "h2", "power": "h3"}
# A host tells once a minute what lies there, and what it shall not have goes when it has told of it twice. But what
# runs there it tells first, as soon as it can.
BACK_SECONDS = 90


@pytest.fixture(scope="module")
def compute(lab):
    return lab.connect("novella-admin").compute


@pytest.fixture(scope="module")
def servers(lab, make_server):
    """A guest that runs on each host which will be lost."""
    made = {name: make_server(name, host) for name, host in LOST.items()}
    for uuid in made.values():
        lab.booted(uuid)
    return made


@pytest.fixture(scope="module")
def first_boots(lab, servers):
    return {name: lab.booted(uuid) for name, uuid in servers.items()}


@pytest.fixture(scope="module")
def lost(lab, servers, first_boots):
    """h2 is cut off, and its guest runs on; h3 has no power any more."""
    lab.lab("cut", "h2")
    lab.lab("kill", "h3")


def say(compute, host, *, is_down):
    """Give an operator's word about a machine; return the status of the answer."""
    (service,) = compute.get(f"/os-services?binary=nova-compute&host={host}", microversion="2.53").json()["services"]
    path = f"/os-services/{service['id']}"
    return compute.put(path, json={"forced_down": is_down}, microversion="2.53").status_code


def evacuate(compute, uuid):
    return compute.post(f"/servers/{uuid}/action", json={"evacuate": {}}, microversion="2.68").status_code


def test_nothing_is_evacuated_from_a_host_that_nobody_said_is_off(compute, lost, servers):
    for uuid in servers.values():
        assert evacuate(compute, uuid) == 400


def test_their_servers_are_made_anew_with_their_addresses(lab, compute, lost, servers, first_boots):
    for name, host in LOST.items():
        assert say(compute, host, is_down=True) == 200
        assert evacuate(compute, servers[name]) == 200
    for name, uuid in servers.items():
        lab.settled(uuid, "ACTIVE")
        assert lab.host_of(uuid) == "h1"
        boot = lab.booted(uuid)
        assert boot.address == first_boots[name].address
        assert boot.mark != first_boots[name].mark
        assert lab.holdings("h1", uuid) == HERE


def test_the_hosts_are_not_trusted_before_they_are_clean(lab, compute, lost, servers):
    for host in LOST.values():
        assert say(compute, host, is_down=False) == 409
    assert "running" in lab.holdings("h2", servers["cable"])


def test_hosts_that_are_back_destroy_what_is_another_s(lab, compute, lost, servers):
    lab.lab("heal", "h2")
    lab.lab("start", "h3")
    for name, host in LOST.items():
        wait_until(lambda name=name, host=host: is_clean(lab, host, servers[name]), f"{host} to be clean", BACK_SECONDS)
    for host in LOST.values():
        wait_until(lambda host=host: say(compute, host, is_down=False) == 200, f"{host} to be trusted",
                   SETTLE_SECONDS)
    wait_until(lambda: len(lab.hosts_up()) == 3, "the hosts to be up", SETTLE_SECONDS)
    assert {lab.migration(uuid)["status"] for uuid in servers.values()} == {"completed"}


def is_clean(lab, host, uuid):
    try:
        found = lab.holdings(host, uuid)
    except CommandFailed:  # it is only starting
        return False
    # What was switched on again must not start what was evacuated.
    assert host != "h3" or "running" not in found
    return not found


def test_the_servers_have_run_on_and_are_deleted_without_a_trace(lab, compute, servers):
    for uuid in servers.values():
        assert len(lab.boots(uuid)) == 1
        assert lab.holdings("h1", uuid) == HERE
        compute.delete_server(uuid)
    wait_until(lambda: not list(compute.servers()), "the servers to be gone", SETTLE_SECONDS)
    for uuid in servers.values():
        assert lab.holdings("h1", uuid) == set()
    wait_until(lambda: lab.audit() == "", "the audit to be silent", SETTLE_SECONDS)
