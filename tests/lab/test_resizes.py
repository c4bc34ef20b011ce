"""Moves between two real libvirt hosts by the stock SDK: the guest itself tells what became of its disk and address."""

import subprocess

import pytest

from tests.fixtures.clouds import wait_until
from tests.fixtures.lab import SETTLE_SECONDS

HERE = {"domain", "running", "tap", "disk", "metadata"}


@pytest.fixture(scope="module")
def compute(lab):
    return lab.connect("novella-admin").compute


@pytest.fixture(scope="module")
def server(lab, make_server):
    return make_server("traveller", "h1")


@pytest.fixture(scope="module")
def first_boot(lab, server):
    boot = lab.booted(server)
    assert boot.mark.startswith("mark-")
    assert lab.holdings("h1", server) == HERE
    return boot


def is_the_same_guest(boot, first_boot):
    return (boot.mark, boot.address) == (first_boot.mark, first_boot.address)


def holds_nothing(lab, host, server):
    wait_until(lambda: not lab.holdings(host, server), f"{host} to hold nothing of the server", SETTLE_SECONDS)


def test_a_resize_moves_disk_and_address_and_is_confirmed(lab, compute, server, first_boot):
    compute.resize_server(server, compute.find_flavor("large").id)
    lab.settled(server, "VERIFY_RESIZE")
    host = lab.host_of(server)
    assert host != "h1"
    boot = lab.booted(server)
    assert is_the_same_guest(boot, first_boot)
    assert boot.memory_kb > first_boot.memory_kb + 20_000
    assert (first_boot.disk_bytes, boot.disk_bytes) == (2**30, 2**31)
    assert lab.holdings("h1", server) == {"aside"}
    compute.confirm_server_resize(server)
    lab.settled(server, "ACTIVE")
    holds_nothing(lab, "h1", server)
    assert lab.holdings(host, server) == HERE


def test_a_resize_is_reverted(lab, compute, server, first_boot):
    source = lab.host_of(server)
    compute.resize_server(server, compute.find_flavor("larger").id)
    lab.settled(server, "VERIFY_RESIZE")
    host = lab.host_of(server)
    assert lab.booted(server).memory_kb > first_boot.memory_kb + 50_000
    compute.revert_server_resize(server)
    lab.settled(server, "ACTIVE")
    assert lab.host_of(server) == source
    holds_nothing(lab, host, server)
    boot = lab.booted(server, times=2)
    assert is_the_same_guest(boot, first_boot)
    assert lab.holdings(source, server) == HERE


def test_a_cold_migration_is_confirmed(lab, compute, server, first_boot):
    source = lab.host_of(server)
    compute.migrate_server(server)
    lab.settled(server, "VERIFY_RESIZE")
    host = lab.host_of(server)
    assert host != source
    assert is_the_same_guest(lab.booted(server), first_boot)
    compute.confirm_server_resize(server)
    lab.settled(server, "ACTIVE")
    holds_nothing(lab, source, server)


def test_a_stopped_server_moves_byte_for_byte_and_is_reverted(lab, compute, server, first_boot):
    source = lab.host_of(server)
    compute.stop_server(server)
    lab.settled(server, "SHUTOFF")
    compute.migrate_server(server)
    lab.settled(server, "VERIFY_RESIZE")
    host = lab.host_of(server)
    left, arrived = lab.folder(source) / "aside" / server / "disk", lab.folder(host) / "instances" / server / "disk"
    compared = subprocess.run(
        ["qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", str(left), str(arrived)],
        capture_output=True, text=True, check=False,
    )
    assert compared.returncode == 0, compared.stdout
    compute.revert_server_resize(server)
    lab.settled(server, "SHUTOFF")
    holds_nothing(lab, host, server)
    before = len(lab.boots(server))
    compute.start_server(server)
    lab.settled(server, "ACTIVE")
    assert is_the_same_guest(lab.booted(server, times=before + 1), first_boot)


def test_nothing_is_amiss_and_nothing_is_left_of_a_deleted_server(lab, compute, server):
    compute.delete_server(server)
    wait_until(lambda: compute.find_server("traveller") is None, "the server to be gone", SETTLE_SECONDS)
    for host in ("h1", "h2", "h3"):
        holds_nothing(lab, host, server)
    # A host tells once a minute what lies there, and what it lost its power over is removed when it was seen twice.
    wait_until(lambda: lab.audit() == "", "the audit to be silent", SETTLE_SECONDS)
