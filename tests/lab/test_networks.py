"""A network reaches from host to host: guests find each other, and nobody of another network."""

import re

import pytest

from tests.fixtures.clouds import wait_until

# It asks for a neighbour until it answers, then a few times for somebody whom it should not reach.
_SCRIPT = """#!/bin/sh
answers() {{
  n=0
  until ping -c 1 -W 1 "$1" >/dev/null; do
    n=$((n + 1))
    [ $n -lt "$2" ] || {{ echo "### PING $1 nobody"; return; }}
    sleep 1
  done
  echo "### PING $1 answers"
}}
answers {neighbour} 60
answers {stranger} 4
"""


@pytest.fixture
def apart(lab):
    """Another network of the same project."""
    admin = lab.connect("novella-admin")
    network = admin.network.create_network(name="apart")
    admin.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.31.0.0/24")
    yield network
    wait_until(lambda: not list(admin.network.ports(network_id=network.id)), "its ports to go", 60)
    admin.network.delete_network(network)


@pytest.fixture
def make(lab):
    admin, made = lab.connect("novella-admin"), []

    def create(name: str, host: str, network: str, script: str = "") -> tuple[str, str]:
        server = admin.create_server(
            name, image="tiny", flavor="small", network=network, availability_zone=f"nova:{host}", userdata=script,
            auto_ip=False, wait=True,
        )
        made.append(server.id)
        return server.id, next(admin.network.ports(device_id=server.id)).fixed_ips[0]["ip_address"]

    yield create
    for uuid in made:
        admin.compute.delete_server(uuid)
    wait_until(lambda: lab.audit() == "", "the audit to be silent", 100)


def test_guests_on_different_hosts_reach_each_other_and_no_other_network(lab, make, apart):
    first, neighbour = make("neighbour", "h1", "lab")
    second, stranger = make("stranger", "h3", "apart")
    for uuid in (first, second):
        lab.booted(uuid)
    caller, _ = make("caller", "h2", "lab", _SCRIPT.format(neighbour=neighbour, stranger=stranger))
    wait_until(lambda: len(_answers(lab, caller)) == 2, "the caller to have asked both", 150)
    assert _answers(lab, caller) == {neighbour: "answers", stranger: "nobody"}
    assert "vxlan" in lab.inside("h2", "ip", "-d", "link")


def _answers(lab, uuid: str) -> dict[str, str]:
    output = lab.connect("novella-admin").compute.get_server_console_output(uuid)["output"]
    return dict(re.findall(r"### PING (\S+) (\w+)", output))
