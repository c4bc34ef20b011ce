"""Networks that reach from host to host, with guests that say on their consoles whom they reach."""

import pytest

from tests.fixtures.clouds import wait_until
from tests.fixtures.lab import SETTLE_SECONDS

NEAR, FAR, STRANGER = "10.31.0.11", "10.31.0.12", "10.31.0.13"
OTHER_MAC = "02:00:00:00:00:31"
REACH_SECONDS = 300
SCRIPT = """#!/bin/sh
while true; do
  for one in {targets}; do
    if ping -c 1 -W 2 $one >/dev/null 2>&1; then said=yes; else said=no; fi
    echo "### REACH $one $said as $(cat /sys/class/net/eth0/address)"
  done
  sleep 2
  {then}
done
"""
# Once others have reached it some times, a guest goes on under another MAC address.
CHANGE = f"""set -- $(grep '^Icmp: [0-9]' /proc/net/snmp)
  if [ "${{10}}" -gt 3 ] && [ ! -e /changed ]; then
    ip link set eth0 down; ip link set eth0 address {OTHER_MAC}; ip link set eth0 up; touch /changed
  fi"""


@pytest.fixture(scope="module")
def guests(lab):
    """Two guests of one network on two hosts, and on the second one of another network with the same subnet."""
    admin = lab.connect("novella-admin")
    plan = (
        ("near", "h1", "shared", NEAR, (FAR, STRANGER), CHANGE), ("far", "h2", "shared", FAR, (NEAR,), ""),
        ("stranger", "h2", "apart", STRANGER, (FAR,), ""),
    )  # fmt: skip
    networks = {name: admin.network.create_network(name=name) for name in ("shared", "apart")}
    for network in networks.values():
        admin.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.31.0.0/24")
    # Whoever has no port security is in no group, so members of one would not hear him.
    group = admin.network.create_security_group(name="pings")
    admin.network.create_security_group_rule(
        security_group_id=group.id, direction="ingress", protocol="icmp", ether_type="IPv4"
    )
    made = {}
    for name, host, network, address, targets, then in plan:
        port = admin.network.create_port(
            network_id=networks[network].id, fixed_ips=[{"ip_address": address}], security_group_ids=[group.id]
        )
        made[name] = admin.create_server(
            name, image="tiny", flavor="small", nics=[{"port-id": port.id}], availability_zone=f"nova:{host}",
            userdata=SCRIPT.format(targets=" ".join(targets), then=then), auto_ip=False, wait=True,
            timeout=SETTLE_SECONDS,
        ).id  # fmt: skip
    yield made
    for uuid in made.values():
        admin.compute.delete_server(uuid, ignore_missing=True)


def said(lab, uuid: str) -> str:
    """Return what a guest's console shows, but for its beginning."""
    return lab.console(uuid, length=1000)


def test_guests_on_two_hosts_reach_each_other_and_no_stranger(lab, guests):
    for who, words in (("near", f"{FAR} yes"), ("far", f"{NEAR} yes"), ("stranger", f"{FAR} no")):
        wait_until(lambda who=who, words=words: f"### REACH {words}" in said(lab, guests[who]), words, REACH_SECONDS)
    assert f"### REACH {STRANGER} yes" not in said(lab, guests["near"])
    assert f"### REACH {FAR} yes" not in said(lab, guests["stranger"])
    assert "198.18.0.2" in lab.inside("h1", "bridge", "fdb", "show")


def test_a_guest_with_another_mac_address_is_found_from_another_host_where_it_may_have_one(lab, guests):
    """What Tempest's test_port_security_macspoofing_port does, with its guests on two hosts."""
    admin = lab.connect("novella-admin")
    wait_until(lambda: f"### REACH {FAR} no as {OTHER_MAC}" in said(lab, guests["near"]), "the guest to be held back",
               REACH_SECONDS)
    assert f"yes as {OTHER_MAC}" not in said(lab, guests["near"])
    (port,) = admin.network.ports(device_id=guests["near"])
    admin.network.update_port(port, port_security_enabled=False, security_groups=[])
    wait_until(lambda: f"### REACH {FAR} yes as {OTHER_MAC}" in said(lab, guests["near"]), "it to be found",
               REACH_SECONDS)
    assert "_seen" in lab.inside("h1", "nft", "list", "tables")


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
