"""A router on one host and a guest that uses it on another."""

import msgspec
import pytest

from compute_agent.network.forwarding import link_local
from contracts.compute import FixedIpSpec, PortSpec
from contracts.networks import RouterSpec, SegmentSpec
from tests.contracts.routers_suite import leg
from tests.fixtures.clouds import wait_until
from tests.integration.network.guests import network, port, run
from tests.integration.network.two_hosts import FIRST, SECOND
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]
ONE, TWO = "10.1.0.5", "10.2.0.5"
GATEWAYS = ("10.1.0.1", "10.2.0.1")
ONE_IPV6, TWO_IPV6 = "fd00:1::5", "fd00:2::5"
GATEWAYS_IPV6 = ("fd00:1::1", "fd00:2::1")


class Across:
    """Guest `one` on the first host, `two` in another network on the second, and a router that lives on either."""

    def __init__(self, hosts):
        self.hosts, self.id = hosts, new_id()
        self.nets = network("10.1.0.0/24"), network("10.2.0.0/24")
        self.segments = {
            net.id: SegmentSpec(network_type="vxlan", mtu=1400, segmentation_id=number, routed=[gateway])
            for net, number, gateway in zip(self.nets, (81, 82), GATEWAYS, strict=True)
        }
        self.legs = [
            leg(net.id, *gateways) for net, *gateways in zip(self.nets, GATEWAYS, GATEWAYS_IPV6, strict=True)
        ]
        self.guests = [
            host.boot(_with(port(net, address), address_ipv6), self.segments[net.id])
            for host, net, address, address_ipv6 in zip(hosts, self.nets, (ONE, TWO), (ONE_IPV6, TWO_IPV6), strict=True)
        ]
        for guest, gateway, own in zip(self.guests, GATEWAYS, self.legs, strict=True):
            guest.do("ip", "route", "replace", "default", "via", gateway)
            # As a host advertises it: by what is made from the router's MAC address.
            guest.do("ip", "route", "replace", "default", "via", link_local(own.mac_address), "dev", "eth0")

    def put(self, home: int) -> None:
        """Tell both hosts that the router lives on one of them."""
        for number, (host, tunnel) in enumerate(zip(self.hosts, (SECOND, FIRST), strict=True)):
            own, other = self.guests[number].port, self.guests[1 - number].port
            if number == home:
                host.control.tell(routers={self.id: RouterSpec(interfaces=self.legs)}, networks=self.segments)
                host.meet(other.network, (other, tunnel))
                host.control.tell(gone={"neighbours": [own.network.id]})
            else:
                host.control.tell(
                    gone={"routers": [self.id], "networks": [other.network.id], "neighbours": [other.network.id]},
                    networks={own.network.id: self.segments[own.network.id]},
                )
                host.meet(own.network, (self.as_port(number), tunnel), is_router=True)

    def as_port(self, number: int) -> PortSpec:
        fixed = FixedIpSpec(subnet_id=new_id(), ip_address=GATEWAYS[number])
        held = PortSpec(
            id=self.legs[number].port_id, mac_address=self.legs[number].mac_address, network=self.nets[number],
            fixed_ips=[fixed],
        )  # fmt: skip
        return _with(held, GATEWAYS_IPV6[number])


def _with(spec: PortSpec, address: str) -> PortSpec:
    own = FixedIpSpec(subnet_id=new_id(), ip_address=address)
    return msgspec.structs.replace(spec, fixed_ips=[*spec.fixed_ips, own])


def test_a_router_serves_guests_of_other_hosts_and_goes_on_elsewhere(hosts):
    across = Across(hosts)
    one, two = across.guests
    across.put(1)
    assert one.reaches(TWO)
    assert two.reaches(ONE)
    # The first host has nothing of the second network, and the second one no guest of the first.
    assert not hosts[0].links("nrt")
    assert len(hosts[1].links("nrt")) == 2
    across.put(0)
    assert one.reaches(TWO)
    assert two.reaches(ONE)
    assert not hosts[1].links("nrt")
    assert len(hosts[1].links("nbr")) == 1


def test_ipv6_finds_the_router_by_its_address_on_the_link_wherever_it_is(hosts):
    across = Across(hosts)
    one, two = across.guests
    for home in (1, 0):
        across.put(home)
        assert one.reaches(TWO_IPV6)
        assert two.reaches(ONE_IPV6)
        # A guest that hears of its router that it is none forgets the route that was advertised (RFC 4861, 7.2.5).
        for guest, own in zip(across.guests, across.legs, strict=True):
            guest.do("ip", "-6", "neigh", "flush", "dev", "eth0")
            wait_until(lambda guest=guest, own=own: is_router(guest, own), "the router to be known as one", 30)


def is_router(guest, own) -> bool:
    """Whether the guest, when it asks again, is told that a leg is a router's."""
    address = link_local(own.mac_address)
    guest.do("busybox", "ping", "-6", "-c", "1", "-W", "1", f"{address}%eth0", check=False)
    return "router" in guest.do("ip", "-6", "neigh", "show", address).stdout.split()


def test_no_leg_is_left_on_either(hosts):
    across = Across(hosts)
    across.put(1)
    for host in hosts:
        host.control.tell(gone={"routers": [across.id]})
        assert not host.links("nrt")
        assert len(host.links("nbr")) == 1
    assert not run("ip", "netns", "list").stdout.count("nrtr-")
