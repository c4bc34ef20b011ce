"""Floating IPs over HTTP: where they come from, where they lead, and what keeps them."""

import pytest

from cloud.core.models import new_uuid
from cloud.networks.models import FixedIp, FloatingIp, Network, Port
from cloud.networks.services import allocation
from cloud.networks.services.addresses import AddressWish
from cloud.networks.services.plugging import make_port

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/floatingips"
ROUTERS = "/network/v2.0/routers"


@pytest.fixture
def external(make_network):
    return make_network("203.0.113.0/24", first=10, last=19, name="public", project_id="p9", is_external=True)


@pytest.fixture
def inside(make_network):
    return make_network("10.1.0.0/24")


@pytest.fixture
def router(api, external, inside):
    router = api.post(ROUTERS, {"router": {"external_gateway_info": {"network_id": external.id}}}).json()["router"]
    subnet = {"subnet_id": inside.subnets.get().id}
    assert api.put(f"{ROUTERS}/{router['id']}/add_router_interface", subnet).status_code == 200
    return router


@pytest.fixture
def port(inside):
    return make_port(Port(network=inside, project_id="p1", name="guest"), None, [])


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def make(api, network, token="member", **attributes):
    return api.post(URL, {"floatingip": {"floating_network_id": network.id, **attributes}}, token=token)


def lead(api, floating, token="member", **attributes):
    return api.put(f"{URL}/{floating['id']}", {"floatingip": attributes}, token=token)


def address_of(port: Port) -> str:
    return port.fixed_ips.get().ip_address


def test_an_address_is_kept_led_and_given_back(api, external, router, port):
    answer = make(api, external, description="mine", tags=["blue"])
    assert answer.status_code == 201, answer.content
    floating = answer.json()["floatingip"]
    assert floating["floating_ip_address"].startswith("203.0.113.")
    assert {name: floating[name] for name in ("status", "port_id", "fixed_ip_address", "router_id", "port_details",
                                              "project_id", "tags")} == {
        "status": "DOWN", "port_id": None, "fixed_ip_address": None, "router_id": None, "port_details": None,
        "project_id": "p1", "tags": ["blue"]}
    led = lead(api, floating, port_id=port.id).json()["floatingip"]
    assert (led["status"], led["port_id"], led["fixed_ip_address"], led["router_id"]) == (
        "ACTIVE", port.id, address_of(port), router["id"])
    assert (led["port_details"]["name"], led["port_details"]["mac_address"]) == ("guest", port.mac_address)
    for query, count in ((f"port_id={port.id}", 1), ("status=ACTIVE", 1), ("status=DOWN", 0),
                         (f"router_id={router['id']}", 1), (f"fixed_ip_address={address_of(port)}", 1),
                         (f"floating_network_id={external.id}", 1), ("port_id=null", 0), ("tags=blue", 1)):
        assert len(api.get(f"{URL}?{query}").json()["floatingips"]) == count, query
    assert api.get(f"{URL}/{floating['id']}").json()["floatingip"] == led
    assert api.get(f"{URL}/{floating['id']}", token="stranger").status_code == 404
    idle = lead(api, floating, port_id=None).json()["floatingip"]
    assert (idle["status"], idle["port_id"], idle["router_id"]) == ("DOWN", None, None)
    assert api.delete(f"{URL}/{floating['id']}").status_code == 204
    assert not FloatingIp.objects.exists()
    assert not Port.objects.filter(network=external, device_owner="network:floatingip").exists()


def test_it_may_lead_at_once_and_to_an_address_of_choice(api, external, router, inside):
    wishes = [AddressWish(ip_address="10.1.0.50"), AddressWish(ip_address="10.1.0.51")]
    port = make_port(Port(network=inside, project_id="p1"), wishes, [])
    assert kind(make(api, external, port_id=port.id)) == (400, "HTTPBadRequest")
    floating = make(api, external, port_id=port.id, fixed_ip_address="10.1.0.51").json()["floatingip"]
    assert floating["fixed_ip_address"] == "10.1.0.51"
    moved = lead(api, floating, port_id=port.id, fixed_ip_address="10.1.0.50").json()["floatingip"]
    assert moved["fixed_ip_address"] == "10.1.0.50"
    assert lead(api, floating, description="x").json()["floatingip"]["fixed_ip_address"] == "10.1.0.50"


def test_where_it_cannot_lead_is_refused(api, external, router, port, inside, make_network):
    # The subnet's gateway: no port of a guest is given it by chance.
    nobodys = "10.1.0.1"
    far = make_port(Port(network=make_network("10.2.0.0/24"), project_id="p1"), None, [])
    bare = Port.objects.create(network=inside, project_id="p1", mac_address="fa:16:3e:00:00:01")
    strange = make_port(Port(network=inside, project_id="p2"), None, [])
    floating = make(api, external).json()["floatingip"]
    before = list(FloatingIp.objects.values())
    for attributes, error in (
        ({"port_id": far.id}, (404, "ExternalGatewayForFloatingIPNotFound")),
        ({"port_id": bare.id}, (400, "HTTPBadRequest")),
        ({"port_id": strange.id}, (400, "HTTPBadRequest")),
        ({"port_id": new_uuid()}, (404, "PortNotFound")),
        ({"port_id": port.id, "fixed_ip_address": nobodys}, (400, "HTTPBadRequest")),
        ({"fixed_ip_address": nobodys}, (400, "HTTPBadRequest")),
        ({"port_id": None, "fixed_ip_address": nobodys}, (400, "HTTPBadRequest")),
        ({"port_id": "x"}, (400, "HTTPBadRequest")),
        ({"fixed_ip_address": "2001:db8::1"}, (400, "HTTPBadRequest")),
    ):
        assert kind(lead(api, floating, **attributes)) == error, attributes
        assert kind(make(api, external, **attributes)) == error, attributes
    assert list(FloatingIp.objects.values()) == before
    assert lead(api, {"id": new_uuid()}, port_id=port.id).status_code == 404


def test_where_none_comes_from(api, external, inside):
    bare = Network.objects.create(project_id="p9", is_external=True)
    for network_id, attributes, token, error in (
        (inside.id, {}, "member", (400, "HTTPBadRequest")),
        (bare.id, {}, "member", (400, "HTTPBadRequest")),
        (new_uuid(), {}, "member", (404, "NetworkNotFound")),
        (external.id, {"floating_ip_address": "203.0.113.50"}, "member", (403, "PolicyNotAuthorized")),
        (external.id, {"floating_ip_address": "198.51.100.1"}, "admin", (400, "InvalidIpForNetwork")),
        (external.id, {"floating_ip_address": "203.0.113.1"}, "admin", (409, "IpAddressInUse")),
        (external.id, {"subnet_id": inside.subnets.get().id}, "member", (400, "InvalidInput")),
        (external.id, {"description": "a\nb"}, "member", (400, "HTTPBadRequest")),
    ):
        body = {"floatingip": {"floating_network_id": network_id, **attributes}}
        assert kind(api.post(URL, body, token=token)) == error, attributes
    assert not FloatingIp.objects.exists()
    assert not FixedIp.objects.exists()
    chosen = make(api, external, token="admin", floating_ip_address="203.0.113.50").json()["floatingip"]
    assert chosen["floating_ip_address"] == "203.0.113.50"
    assert kind(make(api, external, token="admin", floating_ip_address="203.0.113.50")) == (409, "IpAddressInUse")


def test_none_is_given_twice_and_none_when_they_are_out(api, external):
    given = [make(api, external).json()["floatingip"]["floating_ip_address"] for _ in range(10)]
    assert len(set(given)) == 10
    assert kind(make(api, external)) == (409, "IpAddressGenerationFailure")
    assert FixedIp.objects.count() == FloatingIp.objects.count() == 10


def test_a_fixed_address_has_one_of_a_network(api, external, router, port):
    make(api, external, port_id=port.id)
    assert kind(make(api, external, port_id=port.id)) == (409, "FloatingIPPortAlreadyAssociated")
    other = make(api, external).json()["floatingip"]
    assert kind(lead(api, other, port_id=port.id)) == (409, "FloatingIPPortAlreadyAssociated")


def test_the_way_to_it_stays(api, external, router, port, inside):
    floating = make(api, external, port_id=port.id).json()["floatingip"]
    subnet = {"subnet_id": inside.subnets.get().id}
    url = f"{ROUTERS}/{router['id']}"
    assert kind(api.put(f"{url}/remove_router_interface", subnet)) == (409, "RouterInterfaceInUseByFloatingIP")
    gone = {"router": {"external_gateway_info": None}}
    assert kind(api.put(url, gone)) == (409, "RouterExternalGatewayInUseByFloatingIp")
    assert kind(api.delete(f"/network/v2.0/networks/{external.id}", token="admin")) == (409, "NetworkInUse")
    held = Port.objects.get(floating_ip=floating["id"])
    assert kind(api.delete(f"/network/v2.0/ports/{held.id}", token="admin")) == (409, "ServicePortInUse")
    moved = {"port": {"fixed_ips": [{"ip_address": "203.0.113.60"}]}}
    assert kind(api.put(f"/network/v2.0/ports/{held.id}", moved, token="admin")) == (400, "HTTPBadRequest")
    assert lead(api, floating, port_id=None).status_code == 200
    assert api.put(f"{url}/remove_router_interface", subnet).status_code == 200
    assert api.put(url, gone).status_code == 200
    assert api.delete(url).status_code == 204


def test_it_outlives_the_port_that_it_led_to(api, external, router, port, inside):
    floating = make(api, external, port_id=port.id).json()["floatingip"]
    assert api.delete(f"/network/v2.0/ports/{port.id}").status_code == 204
    left = api.get(f"{URL}/{floating['id']}").json()["floatingip"]
    assert (left["port_id"], left["fixed_ip_address"], left["router_id"], left["status"]) == (None, None, None, "DOWN")
    server = new_uuid()
    request = {"mode": "explicit", "requests": [{"network_id": inside.id}], "security_groups": []}
    allocation.allocate(server, "p1", request, "h1")
    assert lead(api, floating, port_id=Port.objects.get(device_id=server).id).status_code == 200
    allocation.release([server])
    assert FloatingIp.objects.get().fixed_ip is None
    second = make_port(Port(network=inside, project_id="p1"), None, [])
    assert lead(api, floating, port_id=second.id).status_code == 200
    (held,) = second.fixed_ips.values_list("ip_address", flat=True)
    other = {"port": {"fixed_ips": [{"ip_address": "10.1.0.77" if held != "10.1.0.77" else "10.1.0.78"}]}}
    assert api.put(f"/network/v2.0/ports/{second.id}", other).status_code == 200
    assert FloatingIp.objects.get().fixed_ip is None


def test_a_network_takes_its_idle_addresses_with_it(api, external):
    make(api, external)
    assert api.delete(f"/network/v2.0/networks/{external.id}", token="admin").status_code == 204
    assert not FloatingIp.objects.exists()
