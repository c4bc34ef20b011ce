"""Routers whose outside is the machine itself, as on one that is alone: `public:host`."""

import pytest

from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import bridge_name
from compute_agent.network.underlay import Underlay
from tests.contracts.routers_suite import (
    ADDRESSES,
    ADDRESSES_IPV6,
    FLOATING,
    GATEWAY_IPV6,
    ONE,
    OUTSIDE,
    Router,
    floating,
)
from tests.fixtures.patience import eventually
from tests.integration.network.conftest import HOST_ADDRESS
from tests.integration.network.guests import PING_SECONDS, Guest, network, port, run
from tests.integration.network.test_routers import META
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]


@pytest.fixture
def driver(state_dir):
    driver = LinuxBridgeNetwork(state_dir, Underlay(wires={"public": "host"}))
    yield driver
    driver.purge()


class Alone:
    """A machine with a guest in a network of its own, and one in the external network."""

    def __init__(self, driver, folder):
        self.driver = driver
        nets = {ONE: network("10.1.0.0/24"), "two": network("10.2.0.0/24"), OUTSIDE: network("203.0.113.0/24")}
        self.networks = {name: net.id for name, net in nets.items()}
        self.guests = {name: Guest(port(nets[name], ADDRESSES[name]), folder) for name in (ONE, OUTSIDE)}
        for name, guest in self.guests.items():
            guest.start()
            guest.static(f"{ADDRESSES[name]}/24", f"{ADDRESSES[name][:-1]}1")
            driver.plug(new_id(), [guest.port], META, "")

    def stop(self):
        for guest in self.guests.values():
            guest.stop()


@pytest.fixture
def alone(driver, tmp_path):
    made = Alone(driver, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def router(alone):
    router = Router(alone)
    router.outside = {"network_type": "flat", "physical_network": "public"}
    for name in (ONE, OUTSIDE):
        router.control.put(alone.guests[name].port, is_secured=False)
    router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
    return router


def machine_reaches(address: str, seconds: float = PING_SECONDS) -> bool:
    ping = ("busybox", "ping6" if ":" in address else "ping", "-c", "1", "-W", "1", address)
    return eventually(lambda: run(*ping, check=False).returncode == 0, seconds)


def machine_misses(address: str) -> bool:
    return not machine_reaches(address, seconds=0)


def test_the_machine_is_the_next_hop_both_ways(alone, router):
    guest = alone.guests[ONE]
    assert guest.reaches(HOST_ADDRESS)
    assert machine_reaches(FLOATING)
    assert machine_misses(ADDRESSES[ONE])
    router.tell(floating_ips=[])
    assert machine_misses(FLOATING)
    assert guest.reaches(HOST_ADDRESS)  # under the gateway's address


def test_its_address_there_goes_with_the_last_router(alone, router):
    bridge = bridge_name(alone.networks[OUTSIDE])
    assert "203.0.113.1/24" in run("ip", "-4", "addr", "show", bridge).stdout
    assert machine_reaches(FLOATING)
    router.forget()
    assert "203.0.113.1/24" not in run("ip", "-4", "addr", "show", bridge).stdout
    assert machine_misses(FLOATING)


def test_by_ipv6_the_machine_is_the_next_hop_and_reaches_whom_its_owner_leads_it_to(alone, router):
    guest, bridge = alone.guests[ONE], bridge_name(alone.networks[OUTSIDE])
    guest.do("ip", "addr", "add", f"{ADDRESSES_IPV6[ONE]}/64", "dev", "eth0", "nodad")
    guest.do("ip", "route", "add", "default", "via", "fd00:1::1")
    gateway = "2001:db8::1"
    assert f"{gateway}/64" in run("ip", "-6", "addr", "show", bridge).stdout
    assert machine_reaches(GATEWAY_IPV6)
    assert machine_misses(ADDRESSES_IPV6[ONE])  # what projects choose leads nobody's packets
    run("ip", "-6", "route", "add", "fd00:1::/64", "via", GATEWAY_IPV6)
    assert machine_reaches(ADDRESSES_IPV6[ONE])
    assert guest.reaches(gateway)
    router.tell(gateway_ips=["203.0.113.1"])
    assert run("ip", "-6", "addr", "show", bridge).stdout == ""
    assert machine_reaches(FLOATING)


def test_guests_of_the_external_network_meet_floating_addresses_and_not_the_machine_behind_their_rules(alone, router):
    guest = alone.guests[OUTSIDE]
    assert guest.reaches(FLOATING)
    assert guest.reaches(HOST_ADDRESS)  # by the namespace of its network, as everywhere
    assert machine_reaches(FLOATING)
    assert machine_misses(ADDRESSES[OUTSIDE])


def test_the_addresses_come_back_with_the_agent(alone, router, state_dir):
    run("ip", "-4", "addr", "flush", "dev", bridge_name(alone.networks[OUTSIDE]))
    run("nft", "flush", "chain", "ip", alone.driver._mark.table, "outside")
    run("ip", "-6", "addr", "flush", "dev", bridge_name(alone.networks[OUTSIDE]))
    run("nft", "flush", "chain", "ip6", alone.driver._mark.table, "outside_in")
    LinuxBridgeNetwork(state_dir, Underlay(wires={"public": "host"})).restore()
    assert alone.guests[ONE].reaches(HOST_ADDRESS)
    assert machine_reaches(FLOATING)
    assert machine_reaches(GATEWAY_IPV6)
    assert "4789" in run("nft", "list", "chain", "ip6", alone.driver._mark.table, "outside_in").stdout
