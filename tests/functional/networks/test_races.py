"""Whoever else is at work at the same moment, nothing is given twice and nobody fails for it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from cloud.core.models import new_uuid
from cloud.networks.errors import (
    ExternalNetworkUnreachable,
    InterfaceInUseByFloatingIp,
    IpAddressGenerationFailure,
    NoNetworkAvailable,
    OverQuota,
    SubnetAllocationError,
)
from cloud.networks.models import FixedIp, FloatingIp, Network, Port, SecurityGroup, Subnet, SubnetPool
from cloud.networks.services import allocation, auto_topology, floating_ips, router_interfaces, routers
from cloud.networks.services.networks import create_networks
from cloud.networks.services.ports import create_ports
from cloud.networks.services.quotas import set_limits
from cloud.networks.services.subnets import create_subnets

pytestmark = pytest.mark.django_db(transaction=True)
REFUSALS = (
    ExternalNetworkUnreachable, InterfaceInUseByFloatingIp, IpAddressGenerationFailure, NoNetworkAvailable, OverQuota,
    SubnetAllocationError,
)


def at_once(work, arguments) -> Counter[str]:
    """Call `work` with each argument in threads of their own; return how often each outcome came."""

    def one(argument) -> str:
        try:
            work(argument)
        except REFUSALS as error:
            return type(error).__name__
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(8) as threads:
        return Counter(threads.map(one, arguments))


def plug(network: Network):
    request = {"mode": "explicit", "requests": [{"network_id": network.id}], "security_groups": []}
    return lambda server: allocation.allocate(server, "p1", request, "h")


def test_the_last_addresses_are_given_once_each(make_network):
    network = make_network(first=10, last=29)
    outcomes = at_once(plug(network), [new_uuid() for _ in range(24)])
    assert outcomes == {"done": 20, "IpAddressGenerationFailure": 4}
    assert len(set(FixedIp.objects.values_list("ip_address", flat=True))) == FixedIp.objects.count() == 20
    assert Port.objects.count() == 20
    assert SecurityGroup.objects.filter(project_id="p1").count() == 1


def test_one_server_allocated_twice_at_once_has_one_interface(make_network):
    server = new_uuid()
    assert at_once(plug(make_network()), [server] * 8) == {"done": 8}
    assert Port.objects.filter(device_id=server).count() == FixedIp.objects.count() == 1


def test_a_quota_holds(member):
    set_limits("p1", {"network": 5})
    outcomes = at_once(lambda number: create_networks(member, [{"project_id": "p1"}]), range(12))
    assert outcomes == {"done": 5, "OverQuota": 7}
    assert Network.objects.count() == 5


def test_ports_made_at_once_fill_a_subnet_to_its_last_address(make_network, member):
    network = make_network(first=2, last=121)
    asked = [{"network_id": network.id, "project_id": "p1"}]
    assert at_once(lambda _: create_ports(member, asked), range(130)) == {"done": 120, "IpAddressGenerationFailure": 10}
    assert len(set(FixedIp.objects.values_list("ip_address", flat=True))) == FixedIp.objects.count() == 120
    assert Port.objects.count() == 120


def test_numbers_and_blocks_are_given_once_each(member, settings):
    settings.VNI_RANGE = (1, 6)
    pool = SubnetPool.objects.create(project_id="p1", ip_version=4, prefixes=["10.0.0.0/24"], min_prefixlen=26,
                                     default_prefixlen=26, max_prefixlen=32)
    outcomes = at_once(lambda _: create_networks(member, [{"project_id": "p1"}]), range(9))
    assert outcomes == {"done": 6, "NoNetworkAvailable": 3}
    assert sorted(Network.objects.values_list("segmentation_id", flat=True)) == [1, 2, 3, 4, 5, 6]

    def cut(network: str) -> None:
        create_subnets(member, [{"project_id": "p1", "network_id": network, "ip_version": 4, "subnetpool_id": pool.id}])

    outcomes = at_once(cut, Network.objects.values_list("id", flat=True))
    assert outcomes == {"done": 4, "SubnetAllocationError": 2}
    assert len(set(Subnet.objects.values_list("cidr", flat=True))) == Subnet.objects.count() == 4


def test_a_project_that_asks_for_any_network_several_times_gets_one(make_network, member):
    make_network("203.0.113.0/24", project_id="p9", is_external=True, is_default=True)
    SubnetPool.objects.create(project_id="p9", ip_version=4, prefixes=["10.0.0.0/16"], min_prefixlen=26,
                              default_prefixlen=26, max_prefixlen=32, is_default=True, shared=True)
    assert at_once(lambda _: auto_topology.ensure(member, "p1"), range(6)) == {"done": 6}
    assert Network.objects.filter(project_id="p1").count() == 1


@pytest.mark.parametrize("turn", range(4))
def test_a_floating_ip_and_its_router_part_or_stay_together(make_network, member, turn):
    """Who leads it there and who takes the router away at the same moment: one of them is refused."""
    outside, inside = make_network("203.0.113.0/24", project_id="p9", is_external=True), make_network()
    asked = {"project_id": "p1", "external_gateway_info": {"network_id": outside.id}}
    (router,) = routers.create_routers(member, [asked])
    subnet = inside.subnets.get().id
    router_interfaces.add_subnet(member, router, subnet)
    (port,) = create_ports(member, [{"network_id": inside.id, "project_id": "p1"}])
    (floating,) = floating_ips.create_floating_ips(member, [{"project_id": "p1", "floating_network_id": outside.id}])
    deeds = [
        lambda: floating_ips.update_floating_ip(member, floating, {"port_id": port}),
        lambda: router_interfaces.remove_interface(member, router, subnet_id=subnet),
    ]
    outcomes = at_once(lambda deed: deed(), deeds if turn % 2 else reversed(deeds))
    is_led = FloatingIp.objects.get().fixed_ip_id is not None
    refusal = "InterfaceInUseByFloatingIp" if is_led else "ExternalNetworkUnreachable"
    assert outcomes == {"done": 1, refusal: 1}
    assert Port.objects.filter(router=router, network=inside).exists() == is_led
