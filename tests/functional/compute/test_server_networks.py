"""Addresses, security groups and interfaces of servers, below compute."""

import pytest

from cloud.core.models import new_uuid
from cloud.networks.models import FloatingIp, Network, NetworkChange, Port, Router, SecurityGroup, Subnet
from cloud.networks.services import allocation, quotas, router_interfaces, routers
from tests.factories.instances import make_instance
from tests.functional.compute.conftest import CONTEXTS, MINE, THEIRS


def make_network(base: str, **columns: object) -> Network:
    network = Network.objects.create(**{"project_id": MINE, **columns})
    Subnet.objects.create(network=network, project_id=network.project_id, cidr=f"{base}.0/24", gateway_ip=f"{base}.1",
                          allocation_pools=[{"start": f"{base}.10", "end": f"{base}.12"}])
    return network


@pytest.fixture
def pool(member) -> Network:
    return make_network("203.0.113", name="pub", project_id=THEIRS, is_external=True)


@pytest.fixture
def inside(member, pool) -> Network:
    network, context = make_network("10.1.0", name="net"), CONTEXTS["member"]
    asked = {"project_id": MINE, "external_gateway_info": {"network_id": pool.id}}
    (router,) = routers.create_routers(context, [asked])
    router_interfaces.add_subnet(context, router, network.subnets.get().id)
    return network


def plugged(network: Network | None = None) -> str:
    """Return a new server's uuid."""
    server = make_instance(project_id=MINE).uuid
    requests = [{"network_id": network.id}] if network else []
    allocation.allocate(server, MINE, {"requests": requests, "security_groups": []}, "h1")
    return server


def take(member, pool: Network) -> dict:
    return member.post("/os-floating-ips", {"pool": pool.name}).json()["floating_ip"]


def act(api, server: str, action: str, **values: str):
    return api.post(f"/servers/{server}/action", {action: values})


def test_a_floating_ip_is_taken_from_a_pool_and_given_back(member, stranger, pool):
    one = take(member, pool)
    assert one == {"id": one["id"], "ip": one["ip"], "pool": "pub", "fixed_ip": None, "instance_id": None}
    assert member.get("/os-floating-ips").json() == {"floating_ips": [one]}
    assert member.get(f"/os-floating-ips/{one['id']}").json() == {"floating_ip": one}
    assert stranger.get(f"/os-floating-ips/{one['id']}").status_code == 404
    assert member.at("2.36").get("/os-floating-ips").status_code == 404
    assert member.post("/os-floating-ips", {"pool": "nowhere"}).status_code == 404
    gone = member.delete(f"/os-floating-ips/{one['id']}")
    assert (gone.status_code, gone.content) == (202, b"")
    assert member.delete(f"/os-floating-ips/{one['id']}").status_code == 404


def test_it_ends_with_the_pool_and_with_the_quota(member, pool):
    for _ in range(2):
        take(member, pool)
    quotas.set_limits(MINE, {"floatingip": 2})
    assert member.post("/os-floating-ips", {"pool": "pub"}).status_code == 403
    quotas.set_limits(MINE, {"floatingip": -1})
    take(member, pool)
    assert member.post("/os-floating-ips", {"pool": "pub"}).status_code == 404
    assert FloatingIp.objects.count() == 3


def test_it_is_led_to_a_server_and_away(member, pool, inside):
    one, server, other = take(member, pool), plugged(inside), plugged(inside)
    led = act(member, server, "addFloatingIp", address=one["ip"])
    assert (led.status_code, led.content) == (202, b"")
    shown = member.get(f"/os-floating-ips/{one['id']}").json()["floating_ip"]
    assert shown["instance_id"] == server
    addresses = member.get(f"/servers/{server}").json()["server"]["addresses"]["net"]
    assert [(each["OS-EXT-IPS:type"], each["addr"]) for each in addresses] == [
        ("fixed", shown["fixed_ip"]), ("floating", one["ip"])]
    assert act(member, server, "addFloatingIp", address=take(member, pool)["ip"]).status_code == 400
    assert act(member, other, "addFloatingIp", address=one["ip"]).status_code == 202
    assert act(member, server, "removeFloatingIp", address=one["ip"]).status_code == 409
    assert act(member, other, "removeFloatingIp", address=one["ip"]).status_code == 202
    assert member.get(f"/os-floating-ips/{one['id']}").json()["floating_ip"] == one


@pytest.mark.parametrize(("values", "status"), [
    ({"address": "198.51.100.9"}, 404), ({"address": ""}, 400), ({"address": "x\ny"}, 400), ({}, 400),
    ({"address": "{one}", "fixed_address": "10.9.9.9"}, 400),
])
def test_what_is_none_leads_nowhere(member, pool, inside, values, status):
    one, server = take(member, pool), plugged(inside)
    asked = {name: value.format(one=one["ip"]) for name, value in values.items()}
    assert act(member, server, "addFloatingIp", **asked).status_code == status
    assert FloatingIp.objects.get().fixed_ip is None


def test_it_needs_an_address_and_a_way(member, pool):
    one = take(member, pool)
    for server in (plugged(), plugged(make_network("10.2.0"))):
        assert act(member, server, "addFloatingIp", address=one["ip"]).status_code == 400
    assert act(member.at("2.44"), server, "addFloatingIp", address=one["ip"]).status_code == 404


def told() -> set[tuple[str, str]]:
    """What hosts shall hear of since this was asked last; of a person's change to a group at once (ADR 153)."""
    rows = set(NetworkChange.objects.values_list("kind", "key"))
    NetworkChange.objects.all().delete()
    return rows


def test_a_fixed_ip_comes_and_goes(member, pool, inside):
    server = plugged(inside)
    port = Port.objects.get(device_id=server)
    (first,) = port.fixed_ips.values_list("ip_address", flat=True)
    group = port.security_groups.get().id
    told()
    added = act(member, server, "addFixedIp", networkId=inside.id)
    assert (added.status_code, added.content) == (202, b"")
    assert told() == {("host", "h1"), ("former", group), ("neighbours", inside.id)}
    (second,) = port.fixed_ips.exclude(ip_address=first).values_list("ip_address", flat=True)
    one = take(member, pool)
    assert act(member, server, "addFloatingIp", address=one["ip"], fixed_address=second).status_code == 202
    told()
    gone = act(member, server, "removeFixedIp", address=second)
    assert (gone.status_code, gone.content) == (202, b"")
    router = ("router", Router.objects.get().id)  # by which the floating address led there
    assert told() == {("host", "h1"), ("former", group), ("neighbours", inside.id), router}
    assert list(port.fixed_ips.values_list("ip_address", flat=True)) == [first]
    assert member.get(f"/os-floating-ips/{one['id']}").json()["floating_ip"] == one
    assert act(member, server, "removeFixedIp", address=second).status_code == 400
    assert not told()
    assert act(member, server, "removeFixedIp", address=first).status_code == 202
    assert not port.fixed_ips.exists()
    revisions = Port.objects.get(id=port.id).revision_number - port.revision_number
    assert revisions == 3


def test_fixed_ips_come_from_the_first_subnet_that_has_one(member, inside):
    Subnet.objects.create(network=inside, project_id=MINE, cidr="10.7.0.0/24", gateway_ip="10.7.0.1",
                          allocation_pools=[{"start": "10.7.0.10", "end": "10.7.0.10"}])
    Subnet.objects.create(network=inside, project_id=MINE, cidr="fd00:7::/64", ip_version=6, ipv6_address_mode="slaac",
                          ipv6_ra_mode="slaac", allocation_pools=[{"start": "fd00:7::2", "end": "fd00:7::9"}])
    # The router holds no address of the pools: .10 to .12 are for guests.
    Subnet.objects.filter(cidr="10.1.0.0/24").update(allocation_pools=[{"start": "10.1.0.10", "end": "10.1.0.11"}])
    server = plugged(inside)
    fixed = Port.objects.get(device_id=server).fixed_ips
    held = [fixed.filter(ip_address__startswith="10.").count()]
    while act(member, server, "addFixedIp", networkId=inside.id).status_code == 202:
        held.append(fixed.filter(ip_address__startswith="10.").count())
    assert held == [1, 2, 3]
    full = act(member, server, "addFixedIp", networkId=inside.id)
    assert (full.status_code, "No fixed IP addresses" in full.json()["badRequest"]["message"]) == (400, True)
    assert fixed.filter(subnet__ip_version=6).count() == 1


@pytest.mark.parametrize(("action", "values", "status"), [
    ("addFixedIp", {"networkId": "{other}"}, 404), ("addFixedIp", {"networkId": "{bare}"}, 404),
    ("addFixedIp", {"networkId": 7}, 404), ("addFixedIp", {"networkId": ""}, 400), ("addFixedIp", {}, 400),
    ("addFixedIp", {"networkId": None}, 400), ("addFixedIp", {"networkId": "{inside}", "address": "10.1.0.5"}, 400),
    ("removeFixedIp", {"address": "10.1.0.200"}, 400), ("removeFixedIp", {"address": "x\ny"}, 400),
    ("removeFixedIp", {"address": ""}, 400), ("removeFixedIp", {}, 400),
    ("removeFixedIp", {"address": "{foreign}"}, 400),
])
def test_what_is_no_address_of_a_server_changes_nothing(member, inside, action, values, status):
    bare, server = Network.objects.create(project_id=MINE), plugged(inside)
    names = {"other": make_network("10.8.0").id, "bare": bare.id, "inside": inside.id,
             "foreign": Port.objects.get(device_id=plugged(inside)).fixed_ips.get().ip_address}
    asked = {key: value.format(**names) if isinstance(value, str) else value for key, value in values.items()}
    told()
    assert act(member, server, action, **asked).status_code == status
    assert (told(), Port.objects.get(device_id=server).fixed_ips.count()) == (set(), 1)


def test_only_who_may_change_a_server_changes_its_addresses(member, stranger, reader, inside):
    server = plugged(inside)
    for who, status in ((stranger, 404), (reader, 403), (member.at("2.44"), 404)):
        assert act(who, server, "addFixedIp", networkId=inside.id).status_code == status
        assert act(who, server, "removeFixedIp", address="10.1.0.10").status_code == status
    member.post(f"/servers/{server}/action", {"lock": None})
    assert act(member, server, "addFixedIp", networkId=inside.id).status_code == 409
    assert Port.objects.get(device_id=server).fixed_ips.count() == 1


def test_a_server_enters_and_leaves_groups(member, inside):
    server = plugged(inside)
    group = SecurityGroup.objects.create(project_id=MINE, name="web")
    SecurityGroup.objects.create(project_id=THEIRS, name="theirs")
    told()
    for name, news in (("web", {("host", "h1"), ("former", group.id)}), (group.id, set())):
        entered = act(member, server, "addSecurityGroup", name=name)
        assert (entered.status_code, entered.content) == (202, b"")
        assert told() == news
    names = {one["name"] for one in member.get(f"/servers/{server}/os-security-groups").json()["security_groups"]}
    assert names == {"default", "web"}
    assert act(member, server, "removeSecurityGroup", name="web").status_code == 202
    assert told() == {("host", "h1"), ("former", group.id)}
    assert act(member, server, "removeSecurityGroup", name="web").status_code == 404
    for name, status in (("theirs", 404), ("none", 404), ("a\nb", 400), ("", 400)):
        assert act(member, server, "addSecurityGroup", name=name).status_code == status
    assert act(member, plugged(), "addSecurityGroup", name="web").status_code == 400
    assert act(member, new_uuid(), "addSecurityGroup", name="web").status_code == 404


def test_interfaces_are_shown(member, stranger, inside):
    server = plugged(inside)
    port = Port.objects.get(device_id=server)
    url = f"/servers/{server}/os-interface"
    (one,) = member.get(url).json()["interfaceAttachments"]
    assert (one["port_id"], one["net_id"], one["mac_addr"], "tag" in one) == (
        port.id, inside.id, port.mac_address, False)
    assert member.get(f"{url}/{port.id}").json() == {"interfaceAttachment": one}
    assert member.at("2.70").get(f"{url}/{port.id}").json() == {"interfaceAttachment": {**one, "tag": None}}
    assert member.get(f"{url}/{new_uuid()}").status_code == 404
    assert stranger.get(url).status_code == 404
