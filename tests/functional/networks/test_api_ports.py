"""Ports over HTTP."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.core.models import new_uuid
from cloud.networks.models import Port, SecurityGroup
from cloud.networks.services import allocation

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/ports"


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def make(api, network, token: str = "member", **attributes: object) -> dict:
    answer = api.post(URL, {"port": {"network_id": network.id, **attributes}}, token)
    assert answer.status_code == 201, answer.content
    return answer.json()["port"]


def plug(network) -> str:
    """Return the uuid of a server with one interface."""
    server = new_uuid()
    request = {"mode": "explicit", "requests": [{"network_id": network.id}], "security_groups": []}
    allocation.allocate(server, "p1", request, "host1")
    return server


def test_a_port_has_mac_address_and_default_group(api, make_network):
    network = make_network()
    port = make(api, network, name="x", tags=["t"])
    assert port["mac_address"].startswith("fa:16:3e:")
    assert port["fixed_ips"][0]["subnet_id"] == network.subnets.get().id
    assert port["security_groups"] == [SecurityGroup.objects.get(project_id="p1", is_default=True).id]
    assert (port["status"], port["device_id"], port["tags"], port["tenant_id"]) == ("DOWN", "", ["t"], "p1")
    assert port["binding:vnic_type"] == "normal"
    assert not {"binding:host_id", "binding:vif_type", "binding:profile"} & set(port)
    assert api.get(f"{URL}/{port['id']}").json() == {"port": port}
    seen = api.get(f"{URL}/{port['id']}", token="admin").json()["port"]
    assert (seen["binding:host_id"], seen["binding:vif_type"]) == ("", "unbound")
    assert api.delete(f"{URL}/{port['id']}").status_code == 204


def test_wishes_for_addresses(api, make_network):
    network = make_network()
    subnet = network.subnets.get()
    assert make(api, network, fixed_ips=[])["fixed_ips"] == []
    assert make(api, network, fixed_ips=[{"ip_address": "10.0.0.7"}])["fixed_ips"] == [
        {"subnet_id": subnet.id, "ip_address": "10.0.0.7"}]
    assert len(make(api, network, fixed_ips=[{"subnet_id": subnet.id}] * 2)["fixed_ips"]) == 2


@pytest.mark.parametrize(("wish", "error"), [
    ({"ip_address": "10.9.0.7"}, (400, "InvalidIpForNetwork")),
    ({"ip_address": "10.0.0.255"}, (400, "InvalidIpForNetwork")),
    ({"ip_address": "10.0.0.1"}, (409, "IpAddressInUse")),
    ({"ip_address": "10.0.0.7"}, (409, "IpAddressInUse")),
    ({"ip_address": "x"}, (400, "HTTPBadRequest")),
    ({"subnet_id": new_uuid()}, (400, "InvalidInput")),
    ({}, (400, "HTTPBadRequest")),
])
def test_wishes_that_cannot_be_met(api, make_network, wish, error):
    network = make_network()
    make(api, network, fixed_ips=[{"ip_address": "10.0.0.7"}])
    assert kind(api.post(URL, {"port": {"network_id": network.id, "fixed_ips": [wish]}})) == error
    assert Port.objects.count() == 1


def test_a_full_network_is_a_conflict_and_several_ports_are_all_or_none(api, make_network):
    network = make_network(first=5, last=6)
    body = {"ports": [{"network_id": network.id}] * 3}
    assert kind(api.post(URL, body)) == (409, "IpAddressGenerationFailure")
    assert not Port.objects.exists()
    assert len(api.post(URL, {"ports": body["ports"][:2]}).json()["ports"]) == 2


def test_a_mac_is_used_once_in_a_network(api, make_network):
    network = make_network()
    make(api, network, mac_address="FA:16:3E:00:00:01")
    body = {"port": {"network_id": network.id, "mac_address": "fa:16:3e:00:00:01"}}
    assert kind(api.post(URL, body)) == (409, "MacAddressInUse")
    other = make_network("10.1.0.0/24")
    port = make(api, other, mac_address="fa:16:3e:00:00:01")
    assert kind(api.put(f"{URL}/{port['id']}", {"port": {"mac_address": "fa:16:3e:00:00:02"}})) == (
        403, "PolicyNotAuthorized")
    changed = api.put(f"{URL}/{port['id']}", {"port": {"mac_address": "fa:16:3e:00:00:02"}}, token="admin")
    assert changed.json()["port"]["mac_address"] == "fa:16:3e:00:00:02"


def test_a_shared_network_is_used_but_not_ruled(api, make_network):
    network = make_network(project_id="p2", shared=True)
    port = make(api, network)
    for attributes in ({"mac_address": "fa:16:3e:00:00:09"}, {"fixed_ips": [{"ip_address": "10.0.0.9"}]},
                       {"port_security_enabled": False}, {"device_owner": "network:dhcp"},
                       {"allowed_address_pairs": [{"ip_address": "10.0.0.9"}]}):
        refused = api.post(URL, {"port": {"network_id": network.id, **attributes}})
        assert kind(refused) == (403, "PolicyNotAuthorized"), attributes
    # The network's owner sees the port and may remove it, but not change it.
    assert api.get(f"{URL}/{port['id']}", token="stranger").status_code == 200
    assert api.put(f"{URL}/{port['id']}", {"port": {"name": "x"}}, token="stranger").status_code == 403
    assert api.delete(f"{URL}/{port['id']}", token="stranger").status_code == 204


def test_foreign_things_are_not_found(api, make_network):
    foreign = make_network(project_id="p2")
    port = make(api, foreign, token="stranger")
    group = SecurityGroup.objects.create(project_id="p2", name="g")
    assert kind(api.post(URL, {"port": {"network_id": foreign.id}})) == (404, "NetworkNotFound")
    for answer in (api.get(f"{URL}/{port['id']}"), api.delete(f"{URL}/{port['id']}"),
                   api.put(f"{URL}/{port['id']}", {"port": {"name": "x"}})):
        assert kind(answer) == (404, "PortNotFound")
    body = {"port": {"network_id": make_network("10.5.0.0/24").id, "security_groups": [group.id]}}
    assert kind(api.post(URL, body)) == (404, "SecurityGroupNotFound")


def test_binding_is_for_admins(api, make_network):
    network = make_network()
    assert kind(api.post(URL, {"port": {"network_id": network.id, "binding:host_id": "h"}}))[0] == 403
    port = make(api, network, token="admin", **{"binding:host_id": "h", "binding:profile": {"a": "b"}})
    assert (port["binding:host_id"], port["binding:vif_type"]) == ("h", "bridge")
    assert api.get(f"{URL}?binding:host_id=h").status_code == 403
    assert len(api.get(f"{URL}?binding:host_id=h", token="admin").json()["ports"]) == 1
    off = api.put(f"{URL}/{port['id']}", {"port": {"binding:host_id": None}}, token="admin").json()["port"]
    assert (off["binding:host_id"], off["binding:vif_type"]) == ("", "unbound")
    body = {"port": {"network_id": network.id, "binding:profile": {"a\u0000": "b"}}}
    assert api.post(URL, body, token="admin").status_code == 400


def test_changes(api, make_network):
    network = make_network()
    group = SecurityGroup.objects.create(project_id="p1", name="g")
    url = f"{URL}/{make(api, network)['id']}"
    wanted = {
        "name": "y", "admin_state_up": False, "security_groups": [group.id], "device_id": "d", "device_owner": "me",
        "fixed_ips": [{"subnet_id": network.subnets.get().id, "ip_address": "10.0.0.77"}],
        "allowed_address_pairs": [{"ip_address": "10.0.0.0/28", "mac_address": "fa:16:3e:00:00:01"}],
    }
    port = api.put(url, {"port": wanted}).json()["port"]
    assert {name: port[name] for name in wanted} == wanted
    kept = api.put(url, {"port": {"fixed_ips": [{"ip_address": "10.0.0.77"}, {"ip_address": "10.0.0.78"}]}})
    assert [fixed["ip_address"] for fixed in kept.json()["port"]["fixed_ips"]] == ["10.0.0.77", "10.0.0.78"]
    assert kind(api.put(url, {"port": {"port_security_enabled": False}})) == (409, "PortSecurityPortHasSecurityGroup")
    bare = {"port": {"port_security_enabled": False, "security_groups": [], "allowed_address_pairs": []}}
    assert api.put(url, bare).json()["port"]["port_security_enabled"] is False
    twice = {"port": {"allowed_address_pairs": [{"ip_address": "10.0.0.5"}] * 2}}
    assert kind(api.put(url, twice)) == (400, "DuplicateAddressPairInRequest")


def test_a_servers_interface_cannot_become_anothers_but_can_be_removed(api, make_network):
    server = plug(make_network())
    (port,) = api.get(f"{URL}?device_id={server}").json()["ports"]
    assert port["device_owner"] == "compute:nova"
    for change in ({"device_id": ""}, {"device_id": new_uuid()}, {"device_owner": "x"}):
        assert kind(api.put(f"{URL}/{port['id']}", {"port": change})) == (409, "PortInUse")
    assert api.put(f"{URL}/{port['id']}", {"port": {"device_id": server, "name": "z"}}).status_code == 200
    assert api.delete(f"{URL}/{port['id']}").status_code == 204
    assert allocation.port_specs(server) == []


def test_naming_anothers_server_gives_no_way_to_it(api, make_network):
    server = plug(make_network())
    other = make_network("10.7.0.0/24", project_id="p2")
    port = make(api, other, token="stranger", device_id=server, device_owner="compute:nova")
    assert len(allocation.port_specs(server)) == 1
    allocation.set_active(server)
    allocation.release([server])
    kept = Port.objects.get()
    assert (kept.id, kept.device_id, kept.status) == (port["id"], server, "DOWN")


def test_filters(api, make_network):
    network = make_network()
    port = make(api, network, fixed_ips=[{"ip_address": "10.0.0.7"}])
    make(api, network, fixed_ips=[{"ip_address": "10.0.0.8"}], security_groups=[])
    subnet = network.subnets.get().id
    for query, count in (
        (f"network_id={network.id}", 2), (f"mac_address={port['mac_address']}", 1),
        ("fixed_ips=ip_address=10.0.0.7", 1),
        ("fixed_ips=ip_address=10.0.0.7&fixed_ips=ip_address=10.0.0.8", 2), (f"fixed_ips=subnet_id={subnet}", 2),
        ("fixed_ips=ip_address_substr=0.0.", 2), (f"security_groups={port['security_groups'][0]}", 1),
        ("status=ACTIVE", 0), ("device_owner=", 2),
    ):
        assert len(api.get(f"{URL}?{query}").json()["ports"]) == count, query
    assert api.get(f"{URL}?fixed_ips=nonsense").status_code == 400


def test_a_list_costs_the_same_for_any_number(api, make_network):
    network = make_network()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get(URL).status_code == 200
        return len(queries)

    make(api, network)
    one = cost()
    for _ in range(5):
        make(api, network)
    assert cost() == one


def test_quota(api, make_network):
    api.put("/network/v2.0/quotas/p1", {"quota": {"port": 1}}, token="admin")
    network = make_network()
    make(api, network)
    assert kind(api.post(URL, {"port": {"network_id": network.id}})) == (409, "OverQuota")
