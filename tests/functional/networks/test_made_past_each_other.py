"""A port and a subnet whose guests make their own addresses, made at the same moment: the port has its address."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connections, transaction

from cloud.core.models import new_uuid
from cloud.networks.errors import SubnetInUse
from cloud.networks.models import FixedIp, Port
from cloud.networks.services import allocation, more_addresses, plugging, subnets
from cloud.networks.services.addresses import eui64
from cloud.networks.services.ports import create_ports, delete_port, update_port
from cloud.networks.services.subnets import create_subnets, delete_subnet

pytestmark = pytest.mark.django_db(transaction=True)
PREFIX, SERVER = "fd00:6::/64", new_uuid()
# How long one waits for the other where it must not come through; where it does, this shows the fault and no more.
HELD_SECONDS = 0.5


class Other:
    """Work of somebody else, begun in the middle of ours and waited for as long as ours may be held up."""

    def __init__(self, work) -> None:
        self._work, self._threads, self._future = work, ThreadPoolExecutor(1), None
        self._done = threading.Event()

    def begin(self) -> None:
        """Let it run, once, until it is done or waits for us."""
        if self._future is None:
            self._future = self._threads.submit(self._run)
            self._done.wait(HELD_SECONDS)

    def _run(self) -> None:
        try:
            self._work()
        finally:
            connections.close_all()
            self._done.set()

    def end(self) -> None:
        """Wait until it is done. Raises what it raised, and AssertionError where it was never begun."""
        assert self._future is not None
        self._future.result(60)
        self._threads.shutdown()


@pytest.fixture
def network(make_network):
    return make_network()


@pytest.fixture
def make_subnet(network, member):
    asked = {"network_id": network.id, "project_id": "p1", "ip_version": 6, "cidr": PREFIX,
             "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    return lambda: create_subnets(member, [asked])


def by_api(network, member) -> None:
    create_ports(member, [{"network_id": network.id, "project_id": "p1"}])


def by_server(network, member) -> None:
    request = {"requests": [{"network_id": network.id}]}
    allocation.allocate(new_uuid(), "p1", request, "h")


def by_servers_after_one_that_fails(network, member) -> None:
    """What one server has read is of use to the next, and what the first held is let go when it fails."""
    good, bad = [{"network_id": network.id}], [{"network_id": network.id, "fixed_ip": "10.0.0.1"}]
    requests = [{"requests": bad}, {"requests": good}]
    with transaction.atomic():
        known = allocation.known_to(requests)
        for request in requests:
            try:
                allocation.allocate(new_uuid(), "p1", request, "h", known)
            except plugging.IpAddressInUse:
                continue


make_port = pytest.mark.parametrize("make", [by_api, by_server, by_servers_after_one_that_fails])


def assert_the_port_has_the_address_its_guest_makes() -> None:
    port = Port.objects.get()
    held = FixedIp.objects.filter(port=port, ip_address__contains=":").values_list("ip_address", flat=True)
    assert list(held) == [eui64(PREFIX, port.mac_address)]


@make_port
def test_a_subnet_made_before_a_port_is_written(network, member, make_subnet, make, monkeypatch):
    """The port's maker has looked at the subnets already."""
    other, write = Other(make_subnet), plugging._insert
    monkeypatch.setattr(plugging, "_insert", lambda *args: (other.begin(), write(*args)))
    make(network, member)
    other.end()
    assert_the_port_has_the_address_its_guest_makes()


@make_port
def test_a_subnet_made_before_a_port_is_there_for_others(network, member, make_subnet, make):
    other = Other(make_subnet)
    with transaction.atomic():
        make(network, member)
        other.begin()
    other.end()
    assert_the_port_has_the_address_its_guest_makes()


@make_port
def test_a_port_made_before_a_subnet_is_there_for_others(network, member, make_subnet, make):
    other = Other(lambda: make(network, member))
    with transaction.atomic():
        make_subnet()
        other.begin()
    other.end()
    assert_the_port_has_the_address_its_guest_makes()


def test_a_mac_address_that_changes_while_a_subnet_is_made(network, member, make_subnet, monkeypatch):
    (port_id,) = create_ports(member, [{"network_id": network.id, "project_id": "p1"}])
    admin = replace(member, roles=frozenset({"admin"}))
    change = Other(lambda: update_port(admin, port_id, {"mac_address": "fa:16:3e:00:00:02"}))
    make = plugging.eui64
    monkeypatch.setattr(plugging, "eui64", lambda *args: (change.begin(), make(*args))[1])
    make_subnet()
    change.end()
    assert_the_port_has_the_address_its_guest_makes()
    assert Port.objects.get().mac_address == "fa:16:3e:00:00:02"


def test_a_port_that_goes_while_its_address_is_made(network, member, make_subnet, monkeypatch):
    (port_id,) = create_ports(member, [{"network_id": network.id, "project_id": "p1"}])
    other, make = Other(lambda: delete_port(member, port_id)), plugging.eui64
    monkeypatch.setattr(plugging, "eui64", lambda *args: (other.begin(), make(*args))[1])
    make_subnet()
    other.end()
    assert not FixedIp.objects.exists()
    assert not Port.objects.exists()


def one_more_address(network, member) -> None:
    more_addresses.add(SERVER, network.id)


def another_address(network, member) -> None:
    port_id, subnet_id = Port.objects.values_list("id", flat=True).get(), network.subnets.get().id
    update_port(member, port_id, {"fixed_ips": [{"subnet_id": subnet_id}, {"subnet_id": subnet_id}]})


@pytest.mark.parametrize("give", [one_more_address, another_address])
def test_a_subnet_that_goes_before_an_address_of_it_is_written(network, member, give, monkeypatch):
    subnet_id = network.subnets.get().id
    columns = {"network": network, "project_id": "p1", "device_id": SERVER, "device_owner": "compute:nova"}
    plugging.make_port(Port(**columns, position=0), [], ())
    other, take = Other(lambda: delete_subnet(member, subnet_id)), plugging.take
    monkeypatch.setattr(plugging, "take", lambda *args: (other.begin(), take(*args))[1])
    give(network, member)
    with pytest.raises(SubnetInUse):
        other.end()
    assert FixedIp.objects.filter(subnet=subnet_id).exists()


@make_port
def test_a_subnet_that_goes_before_a_port_is_written(network, member, make, monkeypatch):
    subnet_id = network.subnets.get().id
    other, write = Other(lambda: delete_subnet(member, subnet_id)), plugging._insert
    monkeypatch.setattr(plugging, "_insert", lambda *args: (other.begin(), write(*args)))
    make(network, member)
    with pytest.raises(SubnetInUse):
        other.end()
    assert FixedIp.objects.filter(subnet=subnet_id).count() == Port.objects.count() == 1


def test_subnets_and_ports_of_several_networks_do_not_wait_for_each_other_for_ever(make_network, member, monkeypatch):
    first, second = make_network(), make_network()
    ports = [{"network_id": one.id, "project_id": "p1"} for one in (first, second)]
    blocks = [{"network_id": one.id, "project_id": "p2", "ip_version": 6, "cidr": PREFIX} for one in (second, first)]
    admin = replace(member, roles=frozenset({"admin"}))
    other, make = Other(lambda: create_ports(member, ports)), subnets._create
    calls = iter([False, True])
    monkeypatch.setattr(
        subnets, "_create", lambda *args: (other.begin() if next(calls) else None, make(*args))[1]
    )
    create_subnets(admin, blocks)
    other.end()
    assert Port.objects.count() == 2
