"""What the tests of the network domain build on."""

import pytest

from cloud.core.context import RequestContext
from cloud.networks.models import Network, Subnet

MEMBER = RequestContext("req-x", "u", project_id="p1", roles=frozenset({"member", "reader"}))


@pytest.fixture
def member():
    return MEMBER


@pytest.fixture
def make_network():
    """Return a function that makes a network with one subnet."""

    def make(cidr: str = "10.0.0.0/24", first: int = 2, last: int = 254, **columns) -> Network:
        network = Network.objects.create(**{"name": "net", "project_id": "p1", **columns})
        base = cidr.rsplit(".", 1)[0]
        Subnet.objects.create(
            network=network, project_id=network.project_id, cidr=cidr, gateway_ip=f"{base}.1",
            allocation_pools=[{"start": f"{base}.{first}", "end": f"{base}.{last}"}],
            dns_nameservers=["9.9.9.9"], host_routes=[{"destination": "10.9.0.0/16", "nexthop": f"{base}.9"}],
        )
        return network

    return make
