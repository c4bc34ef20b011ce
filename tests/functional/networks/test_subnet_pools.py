"""Subnet pools and address scopes over HTTP, and the subnets that come from them."""

import pytest

from cloud.networks.models import AddressScope, Network, Subnet, SubnetPool

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"
MISSING = "00000000-0000-4000-8000-000000000000"


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def make_pool(api, token: str = "member", **attributes: object) -> dict:
    answer = api.post(f"{URL}/subnetpools", {"subnetpool": {"prefixes": ["10.8.0.0/16"], **attributes}}, token=token)
    assert answer.status_code == 201, answer.content
    return answer.json()["subnetpool"]


def make_scope(api, token: str = "member", **attributes: object) -> dict:
    answer = api.post(f"{URL}/address-scopes", {"address_scope": {"ip_version": 4, **attributes}}, token=token)
    assert answer.status_code == 201, answer.content
    return answer.json()["address_scope"]


def ask(api, token: str = "member", **attributes: object):
    """Ask for a subnet in a network of its own."""
    network = Network.objects.create(project_id="p1")
    body = {"subnet": {"network_id": network.id, "ip_version": 4, **attributes}}
    return api.post(f"{URL}/subnets", body, token=token)


def cidr(answer) -> str:
    assert answer.status_code == 201, answer.content
    return answer.json()["subnet"]["cidr"]


def test_a_pool_says_what_it_cuts(api):
    pool = make_pool(api, name="p", prefixes=["10.1.1.0/24", "10.1.0.0/24"], min_prefixlen="26")
    assert pool["prefixes"] == ["10.1.0.0/23"]
    assert [pool[name] for name in ("min_prefixlen", "default_prefixlen", "max_prefixlen")] == [26, 26, 32]
    assert (pool["ip_version"], pool["default_quota"], pool["shared"], pool["is_default"]) == (4, None, False, False)
    assert api.get(f"{URL}/subnetpools?name=p").json()["subnetpools"] == [pool]
    six = make_pool(api, prefixes="2001:db8::/32")
    assert (six["ip_version"], six["default_prefixlen"], six["max_prefixlen"]) == (6, 64, 128)


@pytest.mark.parametrize(("attributes", "error"), [
    ({"prefixes": []}, (400, "EmptySubnetPoolPrefixList")),
    ({"prefixes": ["nonsense"]}, (400, "HTTPBadRequest")),
    ({"prefixes": ["10.0.0.0/8", "2001:db8::/32"]}, (400, "PrefixVersionMismatch")),
    ({"min_prefixlen": 0}, (400, "UnsupportedMinSubnetPoolPrefix")),
    ({"min_prefixlen": 33}, (400, "UnsupportedMinSubnetPoolPrefix")),
    ({"min_prefixlen": 25, "default_prefixlen": 24}, (400, "IllegalSubnetPoolPrefixBounds")),
    ({"default_prefixlen": 25, "max_prefixlen": 24}, (400, "IllegalSubnetPoolPrefixBounds")),
    ({"max_prefixlen": 33}, (400, "IllegalSubnetPoolPrefixBounds")),
    ({"default_quota": -1}, (400, "HTTPBadRequest")),
    ({"name": "a\nb"}, (400, "HTTPBadRequest")),
    ({"address_scope_id": MISSING}, (404, "AddressScopeNotFound")),
    ({"shared": True}, (403, "PolicyNotAuthorized")),
    ({"is_default": True}, (403, "PolicyNotAuthorized")),
])
def test_what_no_pool_can_be(api, attributes, error):
    body = {"subnetpool": {"prefixes": ["10.8.0.0/16"], **attributes}}
    assert kind(api.post(f"{URL}/subnetpools", body)) == error
    assert not SubnetPool.objects.exists()


def test_subnets_are_cut_one_after_the_other_until_none_is_left(api):
    pool = make_pool(api, prefixes=["10.8.0.0/24"], default_prefixlen=26)
    assert cidr(ask(api, subnetpool_id=pool["id"])) == "10.8.0.0/26"
    assert cidr(ask(api, subnetpool_id=pool["id"], cidr="10.8.0.128/26")) == "10.8.0.128/26"
    assert cidr(ask(api, subnetpool_id=pool["id"], prefixlen="27")) == "10.8.0.64/27"
    last = ask(api, subnetpool_id=pool["id"])
    assert cidr(last) == "10.8.0.192/26"
    assert last.json()["subnet"]["subnetpool_id"] == pool["id"]
    assert last.json()["subnet"]["gateway_ip"] == "10.8.0.193"
    assert kind(ask(api, subnetpool_id=pool["id"])) == (409, "SubnetAllocationError")
    assert kind(api.delete(f"{URL}/subnetpools/{pool['id']}")) == (400, "SubnetPoolDeleteError")
    api.delete(f"{URL}/subnets/{last.json()['subnet']['id']}")
    assert cidr(ask(api, subnetpool_id=pool["id"])) == "10.8.0.192/26"


def test_a_large_pool_of_ipv6_costs_no_more(api):
    pool = make_pool(api, prefixes=["2001:db8::/32"])
    found = [cidr(ask(api, subnetpool_id=pool["id"], ip_version=6)) for _ in range(2)]
    assert found == ["2001:db8::/64", "2001:db8:0:1::/64"]


@pytest.mark.parametrize(("attributes", "error"), [
    ({"prefixlen": 23}, (400, "MinPrefixSubnetAllocationError")),
    ({"prefixlen": 29}, (400, "MaxPrefixSubnetAllocationError")),
    ({"cidr": "10.9.0.0/26"}, (409, "SubnetAllocationError")),
    ({"cidr": "10.8.0.0/27"}, (409, "SubnetAllocationError")),
    ({"cidr": "10.8.0.64/26", "prefixlen": 26}, (400, "HTTPBadRequest")),
    ({"ip_version": 6}, (400, "HTTPBadRequest")),
    ({"subnetpool_id": MISSING}, (404, "SubnetPoolNotFound")),
    ({"subnetpool_id": None}, (400, "HTTPBadRequest")),
    ({"subnetpool_id": None, "use_default_subnetpool": True}, (400, "HTTPBadRequest")),
    ({"use_default_subnetpool": True}, (400, "HTTPBadRequest")),
    ({"gateway_ip": "10.9.0.1"}, (400, "InvalidInput")),
])
def test_what_a_pool_does_not_give(api, attributes, error):
    pool = make_pool(api, prefixes=["10.8.0.0/24"], min_prefixlen=24, default_prefixlen=26, max_prefixlen=28)
    ask(api, subnetpool_id=pool["id"])
    assert kind(ask(api, **{"subnetpool_id": pool["id"], **attributes})) == error
    assert Subnet.objects.count() == 1


def test_a_project_has_no_more_than_its_part(api):
    pool = make_pool(api, "admin", shared=True, default_prefixlen=26, default_quota=100)
    cidr(ask(api, subnetpool_id=pool["id"]))
    assert kind(ask(api, subnetpool_id=pool["id"])) == (409, "SubnetPoolQuotaExceeded")
    cidr(ask(api, subnetpool_id=pool["id"], prefixlen=28))


def test_a_network_has_one_pool_for_each_version(api):
    pool, network = make_pool(api, default_prefixlen=26), Network.objects.create(project_id="p1")
    body = {"network_id": network.id, "ip_version": 4}
    assert api.post(f"{URL}/subnets", {"subnet": {**body, "cidr": "10.1.0.0/24"}}).status_code == 201
    answer = api.post(f"{URL}/subnets", {"subnet": {**body, "subnetpool_id": pool["id"]}})
    assert kind(answer) == (400, "NetworkSubnetPoolAffinityError")


def test_there_is_one_default_pool_for_each_version(api):
    pool = make_pool(api, "admin", is_default=True, shared=True, default_prefixlen=26)
    assert cidr(ask(api, use_default_subnetpool=True)) == "10.8.0.0/26"
    body = {"subnetpool": {"prefixes": ["10.7.0.0/16"], "is_default": True}}
    assert kind(api.post(f"{URL}/subnetpools", body, token="admin")) == (400, "InvalidInput")
    make_pool(api, "admin", prefixes=["2001:db8::/32"], is_default=True)
    off = {"subnetpool": {"is_default": False}}
    assert kind(api.put(f"{URL}/subnetpools/{pool['id']}", off)) == (403, "PolicyNotAuthorized")
    assert api.put(f"{URL}/subnetpools/{pool['id']}", off, token="admin").status_code == 200


def test_prefixes_are_added_and_never_taken(api):
    pool = make_pool(api)
    url = f"{URL}/subnetpools/{pool['id']}"
    more = api.put(url, {"subnetpool": {"prefixes": ["10.8.0.0/15"], "default_prefixlen": 26}}).json()["subnetpool"]
    assert (more["prefixes"], more["default_prefixlen"], more["revision_number"]) == (["10.8.0.0/15"], 26, 2)
    for fewer in (["10.8.0.0/24"], ["2001:db8::/32"]):
        assert kind(api.put(url, {"subnetpool": {"prefixes": fewer}})) == (400, "IllegalSubnetPoolPrefixUpdate")


def test_pools_of_others_are_not_there_unless_shared(api):
    mine = make_pool(api)
    url = f"{URL}/subnetpools/{mine['id']}"
    assert api.get(url, token="stranger").status_code == 404
    assert api.put(url, {"subnetpool": {"name": "x"}}, token="stranger").status_code == 404
    shared = make_pool(api, "admin", shared=True, prefixes=["10.6.0.0/16"])
    seen = api.get(f"{URL}/subnetpools", token="stranger").json()["subnetpools"]
    assert [one["id"] for one in seen] == [shared["id"]]
    assert api.delete(f"{URL}/subnetpools/{shared['id']}", token="stranger").status_code == 404


def test_pools_of_a_scope_do_not_overlap(api):
    scope = make_scope(api, name="s")
    pool = make_pool(api, address_scope_id=scope["id"], default_prefixlen=26)
    other = make_pool(api, prefixes=["10.8.9.0/24"])
    url = f"{URL}/subnetpools/{other['id']}"
    assert kind(api.put(url, {"subnetpool": {"address_scope_id": scope["id"]}})) == (409, "AddressScopePrefixConflict")
    six = {"subnetpool": {"prefixes": ["2001:db8::/32"], "address_scope_id": scope["id"]}}
    assert kind(api.post(f"{URL}/subnetpools", six)) == (400, "IllegalSubnetPoolAssociationToAddressScope")
    assert kind(api.delete(f"{URL}/address-scopes/{scope['id']}")) == (409, "AddressScopeInUse")
    made = ask(api, subnetpool_id=pool["id"]).json()["subnet"]
    network = api.get(f"{URL}/networks/{made['network_id']}").json()["network"]
    assert (network["ipv4_address_scope"], network["ipv6_address_scope"]) == (scope["id"], None)


def test_scopes(api):
    scope = make_scope(api, "admin", shared=True, name="all")
    assert set(scope) == {"id", "name", "project_id", "tenant_id", "ip_version", "shared"}
    url = f"{URL}/address-scopes/{scope['id']}"
    assert api.get(url, token="stranger").json()["address_scope"] == scope
    assert api.put(url, {"address_scope": {"name": "x"}}, token="stranger").status_code == 404
    unshared = api.put(url, {"address_scope": {"shared": False}}, token="admin")
    assert kind(unshared) == (400, "AddressScopeUpdateError")
    assert api.put(url, {"address_scope": {"name": "x"}}).json()["address_scope"]["name"] == "x"
    wrong = {"subnetpool": {"prefixes": ["10.0.0.0/8"], "address_scope_id": scope["id"]}}
    assert kind(api.post(f"{URL}/subnetpools", wrong, token="stranger")) == (
        400, "IllegalSubnetPoolAssociationToAddressScope")
    assert kind(api.post(f"{URL}/address-scopes", {"address_scope": {"ip_version": 5}})) == (400, "HTTPBadRequest")
    assert api.delete(url).status_code == 204
    assert not AddressScope.objects.exists()


def test_pools_are_tagged(api):
    pool = make_pool(api)
    assert api.put(f"{URL}/subnetpools/{pool['id']}/tags/red").status_code == 201
    assert [one["id"] for one in api.get(f"{URL}/subnetpools?tags=red").json()["subnetpools"]] == [pool["id"]]


def test_subnets_that_are_there_enter_a_pool(api, make_network):
    pool, network = make_pool(api, default_prefixlen=26), make_network("10.9.1.0/24")
    url, body = f"{URL}/subnetpools/{pool['id']}/onboard_network_subnets", {"network_id": network.id}
    assert api.put(url, body, token="stranger").status_code == 404
    subnet = network.subnets.get()
    assert api.put(url, body).json() == {"subnets": [{"id": subnet.id, "cidr": "10.9.1.0/24"}]}
    subnet.refresh_from_db()
    assert subnet.subnetpool_id == pool["id"]
    shown = api.get(f"{URL}/subnetpools/{pool['id']}").json()["subnetpool"]
    assert shown["prefixes"] == ["10.8.0.0/16", "10.9.1.0/24"]
    assert kind(ask(api, subnetpool_id=pool["id"], cidr="10.9.1.0/26")) == (409, "SubnetAllocationError")
    for other in (network, make_network("10.8.3.0/24"), Network.objects.create(project_id="p1")):
        assert kind(api.put(url, {"network_id": other.id})) == (400, "IllegalSubnetPoolUpdate")
    assert kind(api.put(url, {"network_id": MISSING})) == (404, "NetworkNotFound")
