"""A network for who asks for any."""

import pytest

from cloud.networks.models import AutoTopology, Network, Router, Subnet, SubnetPool
from cloud.networks.services import requests
from cloud.networks.services.quotas import set_limits

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"
MINE = f"{URL}/auto-allocated-topology/None"


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


@pytest.fixture
def outside(make_network) -> Network:
    return make_network("203.0.113.0/24", project_id="p9", is_external=True, is_default=True)


@pytest.fixture
def pools() -> None:
    for version, prefix in ((4, "10.64.0.0/16"), (6, "2001:db8::/48")):
        length = 26 if version == 4 else 64
        SubnetPool.objects.create(project_id="p9", ip_version=version, prefixes=[prefix], min_prefixlen=length,
                                  default_prefixlen=length, max_prefixlen=length, is_default=True, shared=True)


def test_it_is_made_once_and_removed_whole(api, outside, pools):
    assert api.get(f"{MINE}?fields=dry-run").json()["auto_allocated_topology"]["id"] == "dry-run=pass"
    assert not AutoTopology.objects.exists()
    made = api.get(MINE).json()["auto_allocated_topology"]
    assert api.get(f"{URL}/auto-allocated-topology/p1").json()["auto_allocated_topology"] == made
    network = api.get(f"{URL}/networks/{made['id']}").json()["network"]
    assert (network["name"], network["project_id"], len(network["subnets"])) == ("auto_allocated_network", "p1", 2)
    router = Router.objects.get()
    assert router.ports.filter(network=outside).count() == 1
    assert router.ports.filter(network=made["id"]).count() == 2
    assert api.delete(MINE).status_code == 204
    assert (Network.objects.count(), Router.objects.count(), Subnet.objects.count()) == (1, 0, 1)
    assert kind(api.delete(MINE)) == (404, "TopologyNotFound")


def test_what_lacks_is_named_and_nothing_is_made(api, make_network):
    assert kind(api.get(f"{MINE}?fields=dry-run")) == (409, "AutoAllocationFailure")
    make_network("203.0.113.0/24", project_id="p9", is_external=True, is_default=True)
    lacking = api.get(MINE)
    assert kind(lacking) == (409, "AutoAllocationFailure")
    assert "No default subnetpools" in lacking.json()["NeutronError"]["message"]
    assert Network.objects.count() == 1


def test_the_quota_holds_and_leaves_nothing(api, outside, pools):
    set_limits("p1", {"router": 0})
    assert kind(api.get(MINE)) == (409, "AutoAllocationFailure")
    assert (Network.objects.count(), Subnet.objects.count()) == (1, 1)


def test_it_is_the_projects_own(api, outside, pools):
    other = f"{URL}/auto-allocated-topology/p2"
    assert (api.get(other).status_code, api.delete(other).status_code) == (403, 403)
    assert api.get(other, token="admin").json()["auto_allocated_topology"]["tenant_id"] == "p2"
    assert Network.objects.get(auto_topology__project_id="p2").project_id == "p2"


def test_there_is_one_default_way_out(api, outside):
    body = {"network": {"router:external": True, "is_default": True}}
    assert api.post(f"{URL}/networks", body).status_code == 403
    assert kind(api.post(f"{URL}/networks", body, token="admin")) == (409, "DefaultExternalNetworkExists")
    assert api.put(f"{URL}/networks/{outside.id}", {"network": {"is_default": False}}, token="admin").status_code == 200
    assert api.post(f"{URL}/networks", body, token="admin").json()["network"]["is_default"] is True


def test_a_server_that_asks_for_any_network_gets_it(member, outside, pools):
    first = requests.check(member, "auto", None)
    assert first["requests"][0]["network_id"] == Network.objects.get(project_id="p1").id
    assert requests.check(member, "auto", None) == first


def test_subnets_for_some_ports_alone(api, make_network):
    network = make_network()
    body = {"network_id": network.id, "ip_version": 4, "cidr": "10.7.0.0/24", "service_types": ["compute:nova"]}
    assert api.post(f"{URL}/subnets", {"subnet": {**body, "service_types": ["nova"]}}).status_code == 400
    Subnet.objects.update(service_types=["network:dhcp"])
    subnet = api.post(f"{URL}/subnets", {"subnet": body}).json()["subnet"]
    assert subnet["service_types"] == ["compute:nova"]

    def first(owner: str) -> list[str]:
        made = api.post(f"{URL}/ports", {"port": {"network_id": network.id, "device_owner": owner}}, token="admin")
        return [fixed["subnet_id"] for fixed in made.json()["port"]["fixed_ips"]]

    assert first("compute:nova") == [subnet["id"]]
    assert first("") == []
