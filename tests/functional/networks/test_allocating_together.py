"""Servers that get their hosts together get their interfaces in the same statements, or each by itself."""

import pytest

from cloud.core.errors import CloudError
from cloud.core.models import new_uuid
from cloud.networks.models import FixedIp, Network, NetworkChange, Port
from cloud.networks.services import allocation, changes
from cloud.networks.services.allocating_together import Wanting, allocate_together
from tests.fixtures.statements import statements

pytestmark = pytest.mark.django_db


def wanting(*requests: dict[str, str], server: str = "", host: str = "h1") -> Wanting:
    blank = {"network_id": "", "port_id": "", "fixed_ip": "", "tag": ""}
    asked = {"mode": "explicit", "requests": [{**blank, **one} for one in requests], "security_groups": []}
    return Wanting(server or new_uuid(), "p1", asked, host)


def together(servers: list[Wanting]) -> bool:
    known = allocation.known_to(one.network_request for one in servers)
    is_done = allocate_together(servers, known)
    changes.note(known.changed, is_urgent=False)
    return is_done


@pytest.fixture
def dual(make_network) -> Network:
    """A network whose guests get an IPv4 address and make themselves one of IPv6."""
    network = make_network()
    network.subnets.create(
        project_id="p1", ip_version=6, cidr="2001:db8::/64", gateway_ip="2001:db8::1",
        ipv6_address_mode="slaac", ipv6_ra_mode="slaac", allocation_pools=[],
    )  # fmt: skip
    return network


def test_they_get_what_each_would_get_alone(make_network, dual):
    other = make_network("10.1.0.0/24")
    servers = [wanting({"network_id": dual.id}, {"network_id": other.id}, host=f"h{number}") for number in range(5)]
    assert together(servers)
    for one in servers:
        specs = allocation.port_specs(one.instance_uuid)
        assert [spec.network.id for spec in specs] == [dual.id, other.id]
        assert [len(spec.fixed_ips) for spec in specs] == [2, 1]
        mine = Port.objects.filter(device_id=one.instance_uuid).order_by("position")
        assert {(port.host, port.project_id, port.is_created_for_server) for port in mine} == {(one.host, "p1", True)}
        assert all(port.security_groups.get().name == "default" for port in mine)
    assert FixedIp.objects.values("subnet", "ip_address").distinct().count() == 15
    assert len(set(Port.objects.values_list("mac_address", flat=True))) == 10
    hosts = NetworkChange.objects.filter(kind="host").values_list("key", flat=True)
    assert set(hosts) == {one.host for one in servers}


def test_many_cost_no_more_statements_than_two(make_network):
    network = make_network()
    together([wanting({"network_id": network.id}) for _ in range(2)])  # makes the default group
    counts = []
    for number in (2, 40):
        servers = [wanting({"network_id": network.id}) for _ in range(number)]
        with statements() as found:
            assert together(servers)
        counts.append(len(found))
    assert counts[1] <= counts[0] + 2, "a few more guesses at free addresses"


def test_where_not_all_find_an_address_none_is_made_and_each_is_looked_at_alone(make_network):
    network = make_network(first=2, last=4)
    servers = [wanting({"network_id": network.id}) for _ in range(4)]
    assert not together(servers)
    assert not Port.objects.exists()
    known = allocation.known_to(one.network_request for one in servers)
    given = 0
    for one in servers:
        try:
            allocation.allocate(one.instance_uuid, "p1", one.network_request, one.host, known)
            given += 1
        except CloudError:
            continue
    assert given == Port.objects.count() == 3


def test_who_has_an_interface_or_wants_a_certain_one_is_looked_at_alone(make_network):
    network = make_network()
    server = wanting({"network_id": network.id})
    allocation.allocate(server.instance_uuid, "p1", server.network_request, "h1")
    others = [
        server, wanting({"network_id": network.id, "fixed_ip": "10.0.0.77"}), wanting({"port_id": new_uuid()}),
        wanting({"network_id": new_uuid()}),
    ]  # fmt: skip
    for other in others:
        assert not together([wanting({"network_id": network.id}), other])
    assert Port.objects.count() == 1
    assert not together([wanting({"network_id": network.id})]), "one alone is not many"
