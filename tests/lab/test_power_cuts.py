"""Hosts that die or fall silent in the middle of a move: the server is back by itself, or says what became of it."""

import pytest

from contracts.compute import LandServer
from host import supervision
from host.lab.settings import machine_settings
from tests.fixtures.clouds import wait_until
from tests.fixtures.lab import SETTLE_SECONDS

HERE = {"domain", "running", "tap", "disk", "metadata"}
# A host that says nothing for a minute counts as down; then the failure path takes its time.
SILENCE_SECONDS = 300


@pytest.fixture(scope="module")
def compute(lab):
    return lab.connect("novella-admin").compute


@pytest.fixture(scope="module")
def servers(lab, make_server):
    """Three guests that run: two that will move from h1 to h2, and one on h3."""
    made = {name: make_server(name, host) for name, host in (("landing", "h1"), ("coming", "h1"), ("leaving", "h3"))}
    for uuid in made.values():
        lab.booted(uuid)
    return made


@pytest.fixture(scope="module")
def accident(lab, compute, servers):
    """h2 loses its power while one server lands there and another arrives; h3 is cut off before one can leave.

    What is stopped first holds each server where it shall be met: h2's libvirtd, then its agents, so that the one that
    waits for libvirtd does not tell that it gave up.
    """
    machine = machine_settings(lab.settings, "h2")
    lab.inside("h2", "kill", "-STOP", (machine.runtime_dir / "libvirt" / "libvirtd.pid").read_text())
    compute.migrate_server(servers["landing"], host="h2")
    wait_until(lambda: lab.is_at_work_on(servers["landing"], LandServer.NAME), "the landing to begin", SETTLE_SECONDS)
    assert {"tap", "drawer"} <= lab.holdings("h2", servers["landing"], has_libvirtd=False)
    agents = [str(row["pid"]) for row in supervision.processes(machine) if row["name"] in ("agent", "agent-slow")]
    lab.inside("h2", "kill", "-STOP", *agents)
    compute.migrate_server(servers["coming"], host="h2")
    wait_until(lambda: lab.migration(servers["coming"])["status"] == "post-migrating", "disks to be sent",
               SETTLE_SECONDS)
    lab.lab("cut", "h3")
    compute.migrate_server(servers["leaving"], host="h1")
    lab.lab("kill", "h2")


def test_a_server_on_its_way_to_a_host_that_dies_is_back_by_itself(lab, accident, servers):
    lab.settled(servers["coming"], "ACTIVE", seconds=SILENCE_SECONDS)
    assert lab.host_of(servers["coming"]) == "h1"
    lab.booted(servers["coming"], times=2)
    assert lab.holdings("h1", servers["coming"]) == HERE


def test_a_server_that_was_landing_there_is_in_error_with_the_reason(lab, accident, servers):
    """Nobody can know whether its guest runs, so nobody starts a second one."""
    server = lab.settled(servers["landing"], "ERROR", seconds=SILENCE_SECONDS)
    assert "nothing was heard" in server.fault["details"]
    assert lab.holdings("h1", servers["landing"]) == {"aside"}


def test_a_server_of_a_host_that_is_cut_off_runs_on(lab, accident, servers):
    server = lab.settled(servers["leaving"], "ERROR", seconds=SILENCE_SECONDS)
    assert "nothing was heard" in server.fault["details"]
    assert lab.host_of(servers["leaving"]) == "h3"
    assert lab.holdings("h3", servers["leaving"]) == HERE
    assert lab.holdings("h1", servers["leaving"]) == set()


def test_hosts_that_are_back_run_no_second_guest(lab, accident, servers):
    """What was sent before the silence comes too late, and the power cut ended what was landing."""
    lab.lab("heal", "h3")
    lab.lab("start", "h2")
    wait_until(lambda: len(lab.hosts_up()) == 3, "the hosts to be back", SETTLE_SECONDS)
    assert lab.holdings("h3", servers["leaving"]) == HERE
    assert "running" not in lab.holdings("h2", servers["landing"])
    assert "running" not in lab.holdings("h2", servers["coming"])


def test_their_owners_get_them_back(lab, compute, servers):
    compute.revert_server_resize(servers["landing"])
    compute.reset_server_state(servers["leaving"], "active")
    for name, host, boots in (("landing", "h1", 2), ("leaving", "h3", 1)):
        lab.settled(servers[name], "ACTIVE")
        assert lab.host_of(servers[name]) == host
        lab.booted(servers[name], times=boots)
        assert lab.holdings(host, servers[name]) == HERE


def test_they_are_deleted_without_a_trace(lab, compute, servers):
    wait_until(lambda: not lab.holdings("h2", servers["landing"]), "h2 to hold nothing of it",
               SETTLE_SECONDS)
    for uuid in servers.values():
        compute.delete_server(uuid)
    wait_until(lambda: not list(compute.servers()), "the servers to be gone", SETTLE_SECONDS)
    for name, host in (("landing", "h1"), ("coming", "h1"), ("leaving", "h3")):
        assert lab.holdings(host, servers[name]) == set()
