"""Networks that reach from host to host, with guests that say on their consoles whom they reach."""

import pytest

from tests.fixtures.clouds import wait_until
from tests.fixtures.lab import SETTLE_SECONDS

NEAR, FAR, STRANGER = "10.31.0.11", "10.31.0.12", "10.31.0.13"
REACH_SECONDS = 300
SCRIPT = """#!/bin/sh
while true; do
  for one in {targets}; do
    if ping -c 1 -W 2 $one >/dev/null 2>&1; then echo "### REACH $one yes"; else echo "### REACH $one no"; fi
  done
  sleep 2
done
"""


@pytest.fixture(scope="module")
def guests(lab):
    """Two guests of one network on two hosts, and on the second one of another network with the same subnet."""
    admin = lab.connect("novella-admin")
    plan = (
        ("near", "h1", "shared", NEAR, (FAR, STRANGER)), ("far", "h2", "shared", FAR, (NEAR,)),
        ("stranger", "h2", "apart", STRANGER, (FAR,)),
    )  # fmt: skip
    networks = {name: admin.network.create_network(name=name) for name in ("shared", "apart")}
    for network in networks.values():
        admin.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.31.0.0/24")
    made = {}
    for name, host, network, address, targets in plan:
        port = admin.network.create_port(network_id=networks[network].id, fixed_ips=[{"ip_address": address}])
        made[name] = admin.create_server(
            name, image="tiny", flavor="small", nics=[{"port-id": port.id}], availability_zone=f"nova:{host}",
            userdata=SCRIPT.format(targets=" ".join(targets)), auto_ip=False, wait=True, timeout=SETTLE_SECONDS,
        ).id  # fmt: skip
    yield made
    for uuid in made.values():
        admin.compute.delete_server(uuid, ignore_missing=True)


def said(lab, uuid: str) -> str:
    """Return the end of what a guest's console shows."""
    return lab.console(uuid, length=40)


def test_guests_on_two_hosts_reach_each_other_and_no_stranger(lab, guests):
    for who, words in (("near", f"{FAR} yes"), ("far", f"{NEAR} yes"), ("stranger", f"{FAR} no")):
        wait_until(lambda who=who, words=words: f"### REACH {words}" in said(lab, guests[who]), words, REACH_SECONDS)
    assert f"### REACH {STRANGER} yes" not in said(lab, guests["near"])
    assert f"### REACH {FAR} yes" not in said(lab, guests["stranger"])
    assert "198.18.0.2" in lab.inside("h1", "bridge", "fdb", "show")


def test_a_guest_that_goes_is_forgotten_by_the_other_host_and_leaves_nothing(lab, guests):
    admin = lab.connect("novella-admin")
    admin.compute.delete_server(guests["far"])
    wait_until(lambda: "198.18.0.2" not in lab.inside("h1", "bridge", "fdb", "show"), "the neighbour to go",
               SETTLE_SECONDS)
    wait_until(lambda: said(lab, guests["near"]).rfind(f"### REACH {FAR} no") >
               said(lab, guests["near"]).rfind(f"### REACH {FAR} yes"), "the near guest to notice", SETTLE_SECONDS)
    for name in ("near", "stranger"):
        admin.compute.delete_server(guests[name])
    for host in ("h1", "h2"):
        wait_until(lambda host=host: "nvx" not in lab.inside(host, "ip", "link", "show"), f"{host} to be clean",
                   SETTLE_SECONDS)
