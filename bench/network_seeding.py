"""Fill a database with networks: `python -m bench.network_seeding CELLS`, in the environment of a cloud.

A cell is 100 hosts, 10 projects of 10 networks each, and 2,000 ports: 20 on each host, each project's in one security
group that lets its own members in. So each host has the same to do, however many cells the cloud has.
"""

import sys
import uuid
from collections.abc import Iterator
from typing import Any

import django
from django.db import connection

from bench.seeding import bulk, host_name, make_hosts

HOSTS, PROJECTS, NETWORKS_OF_PROJECT, PORTS_OF_NETWORK = 100, 10, 10, 20
NETWORKS = PROJECTS * NETWORKS_OF_PROJECT
PORTS = NETWORKS * PORTS_OF_NETWORK
_NAMESPACE = uuid.UUID("2c1d5f0a-0d8e-4d86-8ad5-2b8f9d1c4c11")


def project_id(cell: int, number: int) -> str:
    """Return the id of a project of a cell."""
    return uuid.uuid5(_NAMESPACE, f"project {cell}/{number}").hex


def tunnel_ip(number: int) -> str:
    """Return the address of a host in the wire that carries the networks."""
    return f"172.20.{number // 250}.{number % 250 + 1}"


def seed(cells: int) -> None:
    """Make so many cells."""
    from cloud.compute.models import ComputeNode  # noqa: PLC0415 - Django must be set up

    make_hosts(cells * HOSTS, 0)
    nodes = list(ComputeNode.objects.filter(host__startswith="host-"))
    for node in nodes:
        node.tunnel_ip, node.network_types = tunnel_ip(int(node.host.removeprefix("host-"))), ["vxlan"]
    ComputeNode.objects.bulk_update(nodes, ["tunnel_ip", "network_types"], batch_size=500)
    for cell in range(cells):
        _make_cell(cell)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as a database that lives does by itself


def _make_cell(cell: int) -> None:
    from cloud.networks.models import FixedIp, Network, Port, SecurityGroup, SecurityGroupRule, Subnet  # noqa: PLC0415

    projects = [project_id(cell, number) for number in range(PROJECTS)]
    groups = [SecurityGroup(project_id=one, name="default", is_default=True) for one in projects]
    networks = [
        Network(project_id=projects[number // NETWORKS_OF_PROJECT], name=f"network-{cell}-{number}",
                segmentation_id=10_000 + cell * NETWORKS + number)
        for number in range(NETWORKS)
    ]  # fmt: skip
    subnets = [
        Subnet(network=network, project_id=network.project_id, cidr=f"10.{cell}.{number}.0/24",
               gateway_ip=f"10.{cell}.{number}.1")
        for number, network in enumerate(networks)
    ]  # fmt: skip
    bulk(SecurityGroup, groups)
    bulk(SecurityGroupRule, [rule for group in groups for rule in _rules(group)])
    bulk(Network, networks)
    bulk(Subnet, subnets)
    ports = [_port(cell, number, networks[number // PORTS_OF_NETWORK]) for number in range(PORTS)]
    bulk(Port, ports)
    bulk(FixedIp, [
        FixedIp(port=port, subnet=subnets[number // PORTS_OF_NETWORK],
                ip_address=f"10.{cell}.{number // PORTS_OF_NETWORK}.{number % PORTS_OF_NETWORK + 10}")
        for number, port in enumerate(ports)
    ])  # fmt: skip
    through = Port.security_groups.through
    of_project = {group.project_id: group.id for group in groups}
    bulk(through, [through(port_id=port.id, securitygroup_id=of_project[port.project_id]) for port in ports])


def _rules(group: Any) -> Iterator[Any]:
    from cloud.networks.models import SecurityGroupRule  # noqa: PLC0415

    for ethertype in ("IPv4", "IPv6"):
        same = {"group": group, "project_id": group.project_id, "ethertype": ethertype}
        yield SecurityGroupRule(direction="egress", **same)
        yield SecurityGroupRule(direction="ingress", remote_group=group, **same)


def _port(cell: int, number: int, network: Any) -> Any:
    from cloud.networks.models import Port  # noqa: PLC0415

    return Port(
        network=network, project_id=network.project_id, status="ACTIVE", device_owner="compute:nova",
        mac_address=f"fa:16:3e:{cell:02x}:{number >> 8:02x}:{number & 255:02x}", device_id=str(uuid.uuid4()),
        host=host_name(cell * HOSTS + number % HOSTS),
    )  # fmt: skip


if __name__ == "__main__":
    django.setup()
    seed(int(sys.argv[1]))
