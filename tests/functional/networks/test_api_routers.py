"""Routers over HTTP: their interfaces, gateways and routes."""

import pytest

from cloud.core.models import new_uuid
from cloud.networks.models import FixedIp, Network, Port, Router, Subnet
from cloud.networks.services.plugging import make_port

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/routers"


@pytest.fixture
def external(make_network):
    return make_network("203.0.113.0/24", name="public", project_id="p9", is_external=True)


@pytest.fixture
def inside(make_network):
    return make_network("10.1.0.0/24")


@pytest.fixture
def router(api):
    return api.post(URL, {"router": {"name": "r"}}).json()["router"]


@pytest.fixture
def attached(api, router, inside):
    attach(api, router, {"subnet_id": subnet_of(inside)})
    return router, inside


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def subnet_of(network: Network) -> str:
    return network.subnets.get().id


def attach(api, router, body, token="member"):
    return api.put(f"{URL}/{router['id']}/add_router_interface", body, token=token)


def detach(api, router, body, token="member"):
    return api.put(f"{URL}/{router['id']}/remove_router_interface", body, token=token)


def test_a_router_is_made_shown_changed_and_removed(api, external):
    asked = {"name": "r", "admin_state_up": False, "external_gateway_info": {"network_id": external.id}}
    made = api.post(URL, {"router": asked})
    assert made.status_code == 201, made.content
    router = made.json()["router"]
    gateway = router["external_gateway_info"]
    assert (gateway["network_id"], gateway["enable_snat"]) == (external.id, True)
    assert gateway["external_fixed_ips"][0]["subnet_id"] == subnet_of(external)
    assert (router["status"], router["routes"], router["project_id"]) == ("ACTIVE", [], "p1")
    assert api.get(f"{URL}/{router['id']}").json()["router"] == router
    assert [one["id"] for one in api.get(f"{URL}?name=r").json()["routers"]] == [router["id"]]
    assert api.get(f"{URL}/{router['id']}", token="stranger").status_code == 404
    changed = api.put(f"{URL}/{router['id']}", {"router": {"name": "s", "external_gateway_info": {}}}).json()["router"]
    assert (changed["name"], changed["external_gateway_info"]) == ("s", None)
    assert not FixedIp.objects.exists()
    assert api.delete(f"{URL}/{router['id']}").status_code == 204
    assert not Port.objects.exists()


def test_a_gateways_port_is_the_services_own(api, external, router):
    api.put(f"{URL}/{router['id']}", {"router": {"external_gateway_info": {"network_id": external.id}}})
    port = Port.objects.get(router=router["id"])
    assert (port.device_owner, port.device_id, port.project_id) == ("network:router_gateway", router["id"], "")
    assert api.get(f"/network/v2.0/ports/{port.id}").status_code == 404
    assert kind(api.delete(f"/network/v2.0/ports/{port.id}", token="admin")) == (409, "ServicePortInUse")
    other = {"port": {"device_owner": "compute:x"}}
    assert kind(api.put(f"/network/v2.0/ports/{port.id}", other, token="admin")) == (409, "PortInUse")
    assert kind(api.delete(f"/network/v2.0/networks/{external.id}", token="admin")) == (409, "NetworkInUse")
    refused = api.put(f"/network/v2.0/networks/{external.id}", {"network": {"router:external": False}}, token="admin")
    assert kind(refused) == (409, "ExternalNetworkInUse")
    assert api.delete(f"{URL}/{router['id']}").status_code == 204


def test_snat_and_the_gateways_address_are_for_admins(api, external, router):
    url = f"{URL}/{router['id']}"
    for extra in ({"enable_snat": False}, {"external_fixed_ips": [{"ip_address": "203.0.113.9"}]}):
        body = {"router": {"external_gateway_info": {"network_id": external.id, **extra}}}
        assert kind(api.put(url, body)) == (403, "PolicyNotAuthorized")
        assert api.put(url, body, token="admin").status_code == 200
    gateway = api.get(url).json()["router"]["external_gateway_info"]
    assert gateway == {"network_id": external.id, "enable_snat": True, "external_fixed_ips": [
        {"subnet_id": subnet_of(external), "ip_address": "203.0.113.9"}]}


def test_a_subnets_gateway_becomes_an_interface(api, inside, router):
    answer = attach(api, router, {"subnet_id": subnet_of(inside)})
    assert answer.status_code == 200, answer.content
    done = answer.json()
    assert (done["id"], done["subnet_id"], done["tenant_id"]) == (router["id"], subnet_of(inside), "p1")
    port = api.get(f"/network/v2.0/ports/{done['port_id']}").json()["port"]
    assert port["fixed_ips"] == [{"subnet_id": subnet_of(inside), "ip_address": "10.1.0.1"}]
    assert (port["device_owner"], port["device_id"], port["status"]) == (
        "network:router_interface", router["id"], "ACTIVE")
    assert (port["security_groups"], port["port_security_enabled"]) == ([], False)
    assert kind(api.delete(f"{URL}/{router['id']}")) == (409, "RouterInUse")
    assert kind(api.delete(f"/network/v2.0/ports/{port['id']}")) == (409, "ServicePortInUse")
    assert kind(api.delete(f"/network/v2.0/subnets/{subnet_of(inside)}")) == (409, "SubnetInUse")
    same = {"port": {"fixed_ips": [{"subnet_id": subnet_of(inside)}]}}
    assert api.put(f"/network/v2.0/ports/{port['id']}", same).status_code == 200
    assert kind(api.put(f"/network/v2.0/ports/{port['id']}", {"port": {"fixed_ips": []}})) == (400, "HTTPBadRequest")
    gone = detach(api, router, {"subnet_id": subnet_of(inside)})
    assert (gone.status_code, gone.json()) == (200, done)
    assert not Port.objects.exists()
    assert api.delete(f"{URL}/{router['id']}").status_code == 204


def test_a_port_becomes_an_interface(api, inside, router):
    port = make_port(Port(network=inside, project_id="p1"), None, [])
    done = attach(api, router, {"port_id": port.id}).json()
    assert (done["port_id"], done["subnet_ids"]) == (port.id, [subnet_of(inside)])
    assert kind(attach(api, router, {"port_id": port.id})) == (409, "PortInUse")
    assert detach(api, router, {"port_id": port.id, "subnet_id": subnet_of(inside)}).status_code == 200
    assert not Port.objects.exists()


def test_what_cannot_be_an_interface_is_refused(api, inside, router, make_network):
    twin = make_network("10.1.0.0/25")
    foreign = make_network("10.2.0.0/24", project_id="p2")
    shared = make_network("10.3.0.0/24", project_id="p2", shared=True)
    without = make_network("10.4.0.0/24")
    Subnet.objects.filter(network=without).update(gateway_ip="")
    bare = Port.objects.create(network=inside, project_id="p1", mac_address="fa:16:3e:00:00:01")
    taken = make_port(Port(network=without, project_id="p1", device_id="x"), None, [])
    strange = make_port(Port(network=shared, project_id="p2"), None, [])
    assert attach(api, router, {"subnet_id": subnet_of(inside)}).status_code == 200
    before = Port.objects.count()
    for body, error in (
        ({}, (400, "HTTPBadRequest")),
        ({"subnet_id": subnet_of(twin), "port_id": bare.id}, (400, "HTTPBadRequest")),
        ({"subnet_id": "x"}, (400, "HTTPBadRequest")),
        ({"subnet_id": subnet_of(inside)}, (400, "HTTPBadRequest")),
        ({"subnet_id": subnet_of(twin)}, (400, "HTTPBadRequest")),
        ({"subnet_id": subnet_of(foreign)}, (404, "SubnetNotFound")),
        ({"subnet_id": subnet_of(shared)}, (403, "PolicyNotAuthorized")),
        ({"subnet_id": subnet_of(without)}, (400, "HTTPBadRequest")),
        ({"subnet_id": new_uuid()}, (404, "SubnetNotFound")),
        ({"port_id": bare.id}, (400, "HTTPBadRequest")),
        ({"port_id": taken.id}, (409, "PortInUse")),
        ({"port_id": strange.id}, (404, "PortNotFound")),
    ):
        assert kind(attach(api, router, body)) == error, body
    assert Port.objects.count() == before
    assert kind(attach(api, {"id": new_uuid()}, {"subnet_id": subnet_of(twin)})) == (404, "RouterNotFound")
    assert attach(api, router, {"subnet_id": subnet_of(twin)}, token="stranger").status_code == 404
    assert "overlaps with cidr" in attach(api, router, {"subnet_id": subnet_of(twin)}).json()["NeutronError"]["message"]
    own = make_port(Port(network=shared, project_id="p1"), None, [])
    assert attach(api, router, {"port_id": own.id}).status_code == 200


def test_what_is_no_interface_is_not_removed(api, inside, router, make_network):
    other = make_network("10.2.0.0/24")
    port = attach(api, router, {"subnet_id": subnet_of(inside)}).json()["port_id"]
    for body, error in (
        ({}, (400, "HTTPBadRequest")),
        ({"port_id": new_uuid()}, (404, "RouterInterfaceNotFound")),
        ({"subnet_id": subnet_of(other)}, (404, "RouterInterfaceNotFoundForSubnet")),
        ({"port_id": port, "subnet_id": subnet_of(other)}, (409, "SubnetMismatchForPort")),
    ):
        assert kind(detach(api, router, body)) == error, body
    assert Port.objects.get().id == port


@pytest.mark.parametrize(("gateway", "error"), [
    ({"network_id": "inside"}, (400, "HTTPBadRequest")),
    ({"network_id": new_uuid()}, (404, "NetworkNotFound")),
    ({"network_id": "x"}, (400, "HTTPBadRequest")),
    ({"network_id": "external", "external_fixed_ips": [{"ip_address": "10.9.9.9"}]}, (400, "InvalidIpForNetwork")),
    ({"network_id": "external", "external_fixed_ips": [{"subnet_id": new_uuid()}]}, (400, "InvalidInput")),
    ({"network_id": "overlapping"}, (400, "HTTPBadRequest")),
    ({"enable_snat": True}, (400, "HTTPBadRequest")),
])
def test_what_is_no_gateway_is_refused(api, attached, external, make_network, gateway, error):
    overlapping = make_network("10.1.0.128/25", is_external=True, first=130, last=200)
    Subnet.objects.filter(network=overlapping).update(gateway_ip="")
    router, inside = attached
    known = {"inside": inside.id, "external": external.id, "overlapping": overlapping.id}
    if "network_id" in gateway:
        gateway = {**gateway, "network_id": known.get(gateway["network_id"], gateway["network_id"])}
    body = {"router": {"external_gateway_info": gateway}}
    assert kind(api.put(f"{URL}/{router['id']}", body, token="admin")) == error
    if gateway.get("network_id") != overlapping.id:
        assert kind(api.post(URL, body, token="admin")) == error
    assert not Port.objects.filter(device_owner="network:router_gateway", router=router["id"]).exists()


def test_routes_lead_by_neighbours(api, inside, router):
    attach(api, router, {"subnet_id": subnet_of(inside)})
    url = f"{URL}/{router['id']}"
    route = {"destination": "10.9.0.0/16", "nexthop": "10.1.0.7"}
    changed = api.put(url, {"router": {"routes": [route]}})
    assert changed.json()["router"]["routes"] == [route]
    assert kind(detach(api, router, {"subnet_id": subnet_of(inside)})) == (409, "RouterInterfaceInUseByRoute")
    second = {"destination": "2001:db8::/32", "nexthop": "10.1.0.8"}
    third = {"destination": "10.8.0.0/16", "nexthop": "10.1.0.8"}
    for bad in (second, {**third, "nexthop": "10.2.0.1"}, {**third, "nexthop": "10.1.0.1"}):
        for sent in (lambda bad=bad: api.put(url, {"router": {"routes": [bad]}}),
                     lambda bad=bad: api.put(f"{url}/add_extraroutes", {"router": {"routes": [bad]}})):
            assert kind(sent()) == (400, "InvalidRoutes")
    assert kind(api.put(url, {"router": {"routes": [third, third]}})) == (400, "InvalidRoutes")
    many = [{"destination": f"10.{number}.0.0/16", "nexthop": "10.1.0.8"} for number in range(20, 51)]
    assert kind(api.put(url, {"router": {"routes": many}})) == (400, "HTTPBadRequest")
    assert api.get(url).json()["router"]["routes"] == [route]
    added = api.put(f"{url}/add_extraroutes", {"router": {"routes": [route, third]}})
    assert added.json()["router"]["routes"] == [route, third]
    left = api.put(f"{url}/remove_extraroutes", {"router": {"routes": [route]}})
    assert left.json()["router"]["routes"] == [third]
    assert api.put(url, {"router": {"routes": None}}).json()["router"]["routes"] == []


def test_a_second_prefix_goes_to_the_same_ipv6_interface(api, router):
    network = Network.objects.create(project_id="p1")
    subnets = [
        Subnet.objects.create(network=network, project_id="p1", cidr=f"2001:db8:{number}::/64", ip_version=6,
                              gateway_ip=f"2001:db8:{number}::1", ipv6_address_mode="slaac", ipv6_ra_mode="slaac")
        for number in (1, 2)
    ]
    ports = {attach(api, router, {"subnet_id": subnet.id}).json()["port_id"] for subnet in subnets}
    assert len(ports) == 1
    addresses = FixedIp.objects.order_by("ip_address").values_list("ip_address", flat=True)
    assert list(addresses) == ["2001:db8:1::1", "2001:db8:2::1"]
    assert detach(api, router, {"subnet_id": subnets[0].id}).status_code == 200
    assert FixedIp.objects.get().ip_address == "2001:db8:2::1"


@pytest.mark.parametrize("attributes", [
    {"name": "a\nb"}, {"description": "a\u0000"}, {"name": "x" * 256}, {"admin_state_up": "perhaps"}, {"nonsense": 1},
    {"external_gateway_info": {"nonsense": 1}}, {"distributed": True}, {"availability_zone_hints": ["mars"]},
])
def test_a_bad_body_makes_no_router(api, attributes):
    assert kind(api.post(URL, {"router": attributes})) == (400, "HTTPBadRequest")
    assert not Router.objects.exists()


def test_a_projects_routers_are_bounded(api):
    for _ in range(10):
        assert api.post(URL, {"router": {}}).status_code == 201
    assert kind(api.post(URL, {"router": {}})) == (409, "OverQuota")


def test_nobody_makes_a_port_a_routers_by_saying_so(api, inside, router):
    body = {"port": {"network_id": inside.id, "device_id": router["id"], "device_owner": "network:router_interface"}}
    port = api.post("/network/v2.0/ports", body).json()["port"]
    assert kind(detach(api, router, {"port_id": port["id"]})) == (404, "RouterInterfaceNotFound")
    assert api.delete(f"{URL}/{router['id']}").status_code == 204
    assert api.delete(f"/network/v2.0/ports/{port['id']}").status_code == 204
