"""Routers on hosts: where they are put, what their hosts are told, and where they go when a host is not heard of."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cloud.compute.models import ComputeNode, Service
from cloud.conductor import telling_networks
from cloud.conductor.reconcile import routers as reconciler
from cloud.core import rpc
from cloud.networks.models import FloatingIp, HostNetworkState, Network, Port, Router
from cloud.networks.services import changes, host_documents
from cloud.networks.services.forgetting import forget_ports
from cloud.networks.services.plugging import make_port
from contracts.networks import FloatingSpec, RouteSpec
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db
ROUTERS, FLOATING = (f"/network/v2.0/{kind}" for kind in ("routers", "floatingips"))


@pytest.fixture
def hosts():
    return [make_host(name) for name in ("a", "b")]


@pytest.fixture
def external(make_network):
    return make_network("203.0.113.0/24", name="public", project_id="p9", is_external=True)


@pytest.fixture
def inside(make_network):
    return make_network("10.1.0.0/24")


@pytest.fixture
def make_router(api, external, inside):
    """Return a function that makes a router between a network and the outside."""

    def make(network: Network = inside) -> Router:
        asked = {"router": {"external_gateway_info": {"network_id": external.id}}}
        router_id = api.post(ROUTERS, asked).json()["router"]["id"]
        subnet = {"subnet_id": network.subnets.get().id}
        answer = api.put(f"{ROUTERS}/{router_id}/add_router_interface", subnet)
        assert answer.status_code == 200, answer.content
        return Router.objects.get(id=router_id)

    return make


def ports_on(router: Router) -> set[str]:
    return set(Port.objects.filter(router=router).values_list("host", flat=True))


def fall_silent(host: str, seconds: float = 31) -> None:
    Service.objects.filter(host=host).update(last_seen_at=timezone.now() - timedelta(seconds=seconds))


def told() -> set[str]:
    return set(changes.take())


def test_a_router_is_put_on_a_host_when_it_has_a_port_and_leaves_it_with_the_last(api, hosts, inside):
    router = Router.objects.get(id=api.post(ROUTERS, {"router": {}}).json()["router"]["id"])
    assert router.host == ""
    subnet = {"subnet_id": inside.subnets.get().id}
    api.put(f"{ROUTERS}/{router.id}/add_router_interface", subnet)
    router.refresh_from_db()
    assert (router.host, ports_on(router), told()) == ("a", {"a"}, {"a"})
    assert api.get(f"{ROUTERS}/{router.id}").json()["router"]["status"] == "ACTIVE"
    api.put(f"{ROUTERS}/{router.id}/remove_router_interface", subnet)
    router.refresh_from_db()
    assert (router.host, told()) == ("", {"a"})
    assert host_documents.document("a").routers == {}


def test_routers_are_spread_over_hosts_that_are_heard_of_and_let_work(hosts, make_router, make_network):
    for name, column in (("c", {"disabled": True}), ("d", {"forced_down": True}), ("e", {"is_up": False})):
        Service.objects.filter(host=make_host(name)).update(**column)
    fall_silent(make_host("f"))
    ComputeNode.objects.filter(host=make_host("g")).update(release=1)
    made = [make_router(make_network(f"10.{number}.0.0/24")) for number in range(2, 6)]
    assert [router.host for router in made] == ["a", "b", "a", "b"]


def test_a_document_says_what_its_routers_do(api, hosts, external, inside, make_router):
    router = make_router()
    port = make_port(Port(network=inside, project_id="p1"), None, ())
    api.post(FLOATING, {"floatingip": {"floating_network_id": external.id, "port_id": port.id}})
    route = {"destination": "172.16.0.0/12", "nexthop": "10.1.0.77"}
    api.put(f"{ROUTERS}/{router.id}", {"router": {"routes": [route]}})
    document = host_documents.document(router.host)
    spec = document.routers[router.id]
    (leg,) = spec.interfaces
    assert (leg.network_id, leg.addresses) == (inside.id, ["10.1.0.1/24"])
    assert spec.gateway is not None
    gateway = Port.objects.get(router=router, network=external)
    address = gateway.fixed_ips.get().ip_address
    assert (spec.gateway.mac_address, spec.gateway.addresses) == (gateway.mac_address, [f"{address}/24"])
    assert (spec.gateway_ips, spec.has_snat, spec.is_up) == (["203.0.113.1"], True, True)
    assert spec.routes == [RouteSpec(**route)]
    floating = FloatingIp.objects.get()
    fixed = port.fixed_ips.get().ip_address
    assert spec.floating_ips == [FloatingSpec(floating_address=floating.floating_ip_address, fixed_address=fixed)]
    # Its ports are no guests.
    assert document.guards == {}


def test_a_guests_host_hears_of_the_floating_addresses_that_lead_to_it(api, hosts, external, inside, make_router):
    Service.objects.filter(host="b").delete()
    make_router()
    port = make_port(Port(network=inside, project_id="p1", host="z"), None, ())

    def led() -> list[str]:
        return host_documents.document("z").guards[port.id].floating_ips

    told()
    made = api.post(FLOATING, {"floatingip": {"floating_network_id": external.id, "port_id": port.id}})
    made = made.json()["floatingip"]
    assert (told(), led()) == ({"a", "z"}, [made["floating_ip_address"]])
    api.put(f"{FLOATING}/{made['id']}", {"floatingip": {"port_id": None}})
    assert (told(), led()) == ({"a", "z"}, [])
    api.put(f"{FLOATING}/{made['id']}", {"floatingip": {"port_id": port.id}})
    assert (told(), led()) == ({"a", "z"}, [made["floating_ip_address"]])
    api.delete(f"{FLOATING}/{made['id']}")
    assert (told(), led()) == ({"a", "z"}, [])


def test_what_is_switched_off_is_no_part_of_it(api, hosts, inside, make_router):
    router = make_router()
    Network.objects.filter(id=inside.id).update(admin_state_up=False)
    api.put(f"{ROUTERS}/{router.id}", {"router": {"admin_state_up": False}})
    spec = host_documents.document(router.host).routers[router.id]
    assert (spec.is_up, spec.interfaces, spec.gateway is not None) == (False, [], True)


def test_what_a_document_costs_does_not_grow_with_its_routers(hosts, make_router, make_network):
    Service.objects.filter(host="b").delete()
    make_router()
    with CaptureQueriesContext(connection) as few:
        host_documents.document("a")
    for number in range(2, 5):
        make_router(make_network(f"10.{number}.0.0/24"))
    with CaptureQueriesContext(connection) as many:
        host_documents.document("a")
    assert len(few) == len(many) <= 12


def test_the_host_is_told_of_every_change(api, hosts, external, inside, make_router):
    Service.objects.filter(host="b").delete()
    router = make_router()
    port = make_port(Port(network=inside, project_id="p1", host="z"), None, ())
    assert told() == {"a", "z"}  # whose gateway it is now
    made = api.post(FLOATING, {"floatingip": {"floating_network_id": external.id}}).json()["floatingip"]
    assert told() == set()  # it leads nowhere
    api.put(f"{FLOATING}/{made['id']}", {"floatingip": {"port_id": port.id}})
    assert told() == {"a", "z"}
    api.put(f"{FLOATING}/{made['id']}", {"floatingip": {"port_id": None}})
    assert told() == {"a", "z"}
    api.put(f"{FLOATING}/{made['id']}", {"floatingip": {"port_id": port.id}})
    told()
    forget_ports([port.id])
    assert told() == {"a", "z"}
    api.put(f"{FLOATING}/{made['id']}", {"floatingip": {"port_id": port.id}})
    told()
    api.delete(f"{FLOATING}/{made['id']}")
    assert told() == {"a", "z"}
    routes = {"router": {"routes": [{"destination": "172.16.0.0/12", "nexthop": "10.1.0.77"}]}}
    for verb in ("add_extraroutes", "remove_extraroutes"):
        api.put(f"{ROUTERS}/{router.id}/{verb}", routes)
        assert told() == {"a"}
    api.put(f"{ROUTERS}/{router.id}", {"router": {"admin_state_up": False}})
    assert told() == {"a"}
    subnet = external.subnets.get()
    api.put(f"/network/v2.0/subnets/{subnet.id}", {"subnet": {"gateway_ip": None}}, token="admin")
    assert told() == {"a"}


def test_routers_of_a_host_that_is_not_heard_of_go_on_elsewhere_and_stay_there(hosts, make_router, inside):
    router = make_router()
    make_port(Port(network=inside, project_id="p1", host="z"), None, ())
    told()
    fall_silent("a", 29)
    reconciler.reconcile()
    router.refresh_from_db()
    assert router.host == "a"
    fall_silent("a")
    reconciler.reconcile()
    router.refresh_from_db()
    # The host that had it is told as well: what it is told when it is back.
    assert (router.host, ports_on(router), told()) == ("b", {"b"}, {"a", "b", "z"})
    assert host_documents.document("a").routers == {}
    Service.objects.filter(host="a").update(last_seen_at=timezone.now())
    reconciler.reconcile()
    router.refresh_from_db()
    assert (router.host, told()) == ("b", set())


def test_a_router_waits_for_a_host(api, external, inside, make_router):
    router = make_router()
    assert (router.host, told()) == ("", set())
    reconciler.reconcile()
    make_host("a")
    reconciler.reconcile()
    router.refresh_from_db()
    assert (router.host, ports_on(router), told()) == ("a", {"a"}, {"a"})


def test_with_no_other_host_a_router_stays_where_it_was(make_router):
    make_host("a")
    router = make_router()
    fall_silent("a")
    told()
    reconciler.reconcile()
    router.refresh_from_db()
    assert (router.host, told()) == ("a", set())


def with_wire(host: str, *wires: str) -> str:
    ComputeNode.objects.filter(host=host).update(physical_networks=list(wires))
    return host


@pytest.fixture
def wired(make_network):
    return make_network("198.51.100.0/24", project_id="p9", is_external=True, network_type="flat",
                        physical_network="public")  # fmt: skip


def test_a_router_goes_where_its_outside_is(api, hosts, wired, inside):
    with_wire("b", "public")
    router_id = api.post(ROUTERS, {"router": {}}).json()["router"]["id"]
    api.put(f"{ROUTERS}/{router_id}/add_router_interface", {"subnet_id": inside.subnets.get().id})
    assert Router.objects.get(id=router_id).host == "a"
    told()
    gateway = {"router": {"external_gateway_info": {"network_id": wired.id}}}
    assert api.put(f"{ROUTERS}/{router_id}", gateway).status_code == 200
    router = Router.objects.get(id=router_id)
    assert (router.host, ports_on(router), told()) == ("b", {"b"}, {"a", "b"})
    assert api.put(f"{ROUTERS}/{router_id}", {"router": {"name": "s"}}).status_code == 200
    assert Router.objects.get(id=router_id).host == "b"


def test_a_router_whose_outside_no_host_has_waits_for_it_where_its_networks_meet(api, hosts, wired, inside):
    gateway = {"router": {"external_gateway_info": {"network_id": wired.id}}}
    router_id = api.post(ROUTERS, gateway).json()["router"]["id"]
    reconciler.reconcile()
    assert Router.objects.get(id=router_id).host == "a"
    with_wire("b", "public")
    reconciler.reconcile()
    assert Router.objects.get(id=router_id).host == "b"
    told()
    # Where it is cut off from its outside and there is no other way, it stays.
    with_wire("b")
    reconciler.reconcile()
    assert (Router.objects.get(id=router_id).host, told()) == ("b", set())


def test_hosts_are_told_which_gateways_are_routers(api, hosts, inside, make_router):
    make_port(Port(network=inside, project_id="p1", host="z"), None, ())
    assert host_documents.document("z").networks[inside.id].routed == []
    router = make_router()
    assert host_documents.document("z").networks[inside.id].routed == ["10.1.0.1"]
    # An interface under another address takes the gateway from nobody.
    api.put(f"{ROUTERS}/{router.id}/remove_router_interface", {"subnet_id": inside.subnets.get().id})
    port = make_port(Port(network=inside, project_id="p1"), None, ())
    api.put(f"{ROUTERS}/{router.id}/add_router_interface", {"port_id": port.id})
    assert host_documents.document("z").networks[inside.id].routed == []


def test_a_host_that_is_back_is_told_that_its_routers_are_elsewhere(hosts, make_router, monkeypatch):
    orders = []
    monkeypatch.setattr("celery.canvas._chain.apply_async", lambda *_, **__: None)
    real = rpc.on_host
    monkeypatch.setattr(rpc, "on_host", lambda order: orders.append(order) or real(order))
    router = make_router()
    for host, version in changes.take().items():
        changes.applied(host, version, "")
    known = {"routers": {router.id: "as it was"}}
    Service.objects.filter(host="a").update(is_up=False)
    fall_silent("a", 70)
    reconciler.reconcile()
    changes.applied("b", changes.take()["b"], "")
    HostNetworkState.objects.update(told_at=timezone.now() - timedelta(hours=1))
    assert telling_networks.tell_again() == 0  # it could not hear
    Service.objects.filter(host="a").update(is_up=True, last_seen_at=timezone.now())
    assert telling_networks.tell_again() == 1
    assert [order.host for order in orders] == ["a"]
    told = host_documents.difference(host_documents.document("a"), known)
    assert told.gone["routers"] == [router.id]
    assert told.version == orders[0].version
