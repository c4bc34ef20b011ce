"""Whoever else is at work at the same moment, nothing is given twice and nobody fails for it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from cloud.core.models import new_uuid
from cloud.networks.errors import IpAddressGenerationFailure, OverQuota
from cloud.networks.models import FixedIp, Network, Port, SecurityGroup
from cloud.networks.services import allocation
from cloud.networks.services.networks import create_networks
from cloud.networks.services.quotas import set_limits

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(work, arguments) -> Counter[str]:
    """Call `work` with each argument in threads of their own; return how often each outcome came."""

    def one(argument) -> str:
        try:
            work(argument)
        except (IpAddressGenerationFailure, OverQuota) as error:
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


def test_a_quota_holds():
    set_limits("p1", {"network": 5})
    outcomes = at_once(lambda number: create_networks([{"project_id": "p1", "name": str(number)}]), range(12))
    assert outcomes == {"done": 5, "OverQuota": 7}
    assert Network.objects.count() == 5
