"""Routers on a real kernel: guests are namespaces, connections are real ones."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from compute_agent.network import namespaces, wiring
from compute_agent.network.links import Links
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import Mark, bridge_name, interface_cable_name
from compute_agent.network.routers import furnishing
from contracts.compute import NetworkSpec
from contracts.networks import RouteSpec
from tests.contracts.routers_suite import (
    ADDRESSES,
    ADDRESSES_IPV6,
    FLOATING,
    GATEWAY,
    GATEWAY_IPV6,
    ONE,
    OUTSIDE,
    TWO,
    Ground,
    Router,
    RoutersSuite,
    floating,
    meets_soon,
)
from tests.fixtures.patience import eventually
from tests.integration.network.conftest import HOST_ADDRESS
from tests.integration.network.connecting import connect, is_alive, is_cut
from tests.integration.network.guests import Guest, network, port, run
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]

PORT = 7
META = {"uuid": "", "hostname": "s1", "public_keys": {}, "availability_zone": "nova"}
# Of who connects, and then of who was connected to.
DENIED_AFTER_SECONDS, SPEAKS_WITHIN_SECONDS = 0.5, 20.0


class End:
    """Somebody in a namespace who tells each that connects who it is, and whom it sees."""

    def __init__(self, name: str, namespace: str) -> None:
        self.name, self.namespace = name, namespace
        self.server = namespaces.run_in(namespace, lambda: socket.create_server(
            ("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=8
        ))  # fmt: skip
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        with suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)  # else the thread waits on
        self.server.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, peer = self.server.accept()
                with near, suppress(OSError):  # who gave up waiting is not there any more
                    near.sendall(f"{self.name} {peer[0].removeprefix('::ffff:')}".encode())

    def meets(self, address: str) -> tuple[str, str] | None:
        """Return who answers there and the address that it sees; None when nothing comes back."""

        def ask() -> tuple[str, str] | None:
            try:
                with socket.create_connection((address, PORT), timeout=DENIED_AFTER_SECONDS) as near:
                    near.settimeout(SPEAKS_WITHIN_SECONDS)
                    name, seen = near.recv(100).decode().split()
                    return name, seen
            except OSError:
                return None

        return namespaces.run_in(self.namespace, ask)


class Land:
    """Two guests in two networks of a driver, and a namespace in an external network that is no port of ours."""

    def __init__(self, folder: Path, driver: LinuxBridgeNetwork) -> None:
        self.folder, self.driver, self.mark = folder, driver, Mark.of(folder / "state")
        nets = {ONE: network("10.1.0.0/24"), TWO: network("10.2.0.0/24"), OUTSIDE: network("203.0.113.0/24")}
        self.nets: dict[str, NetworkSpec] = nets
        self.guests = {name: Guest(port(nets[name], address), folder) for name, address in ADDRESSES.items()}
        self.ends: dict[str, End] = {}

    def start(self) -> None:
        for name, guest in self.guests.items():
            guest.start()
            guest.static(f"{ADDRESSES[name]}/24", "" if name == OUTSIDE else f"{ADDRESSES[name][:-1]}1")
            guest.do("ip", "addr", "add", f"{ADDRESSES_IPV6[name]}/64", "dev", "eth0", "nodad")
            if name == OUTSIDE:
                with Links() as links:
                    wiring.ensure_bridge(links, self.mark, self.nets[name].id, 1400)
                run("ip", "link", "set", self.tap(name), "up", "master", bridge_name(self.nets[name].id))
                guest.do("ip", "addr", "add", "203.0.113.1/24", "dev", "eth0")  # the next hop as well
                guest.do("ip", "route", "add", "10.0.0.0/8", "via", GATEWAY)
                # Not to be sent from: 2001:db8::9 is.
                guest.do("ip", "addr", "add", "2001:db8::1/64", "dev", "eth0", "nodad", "preferred_lft", "0")
                guest.do("ip", "route", "add", "fd00::/16", "via", GATEWAY_IPV6)
            else:
                guest.do("ip", "route", "add", "default", "via", f"{ADDRESSES_IPV6[name][:-1]}1")
                self.driver.plug(new_id(), [guest.port], META, "")
            self.ends[name] = End(name, guest.name)

    def tap(self, name: str) -> str:
        return self.driver.tap_name(self.guests[name].port.id)

    def stop(self) -> None:
        for end in self.ends.values():
            end.stop()
        for guest in self.guests.values():
            guest.stop()

    def ground(self) -> Ground:
        ids = {name: net.id for name, net in self.nets.items()}

        def meets(name: str, address: str) -> tuple[str, str] | None:
            return self.ends[name].meets(address)

        return Ground(self.driver, lambda: LinuxBridgeNetwork(self.folder / "state"), ids, meets)


@pytest.fixture
def land(tmp_path: Path, driver: LinuxBridgeNetwork) -> Iterator[Land]:
    made = Land(tmp_path, driver)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def ground(land: Land) -> Ground:
    return land.ground()


@pytest.fixture
def router(land: Land, ground: Ground) -> Router:
    """A router that is told, with guests that may send and hear anything."""
    router = Router(ground)
    opened(land, router)
    router.tell()
    return router


def opened(land: Land, router: Router) -> None:
    for name in (ONE, TWO):
        router.control.put(land.guests[name].port, is_secured=False)


class TestLinuxBridgeNetwork(RoutersSuite):
    @pytest.fixture
    def ground(self, land: Land, monkeypatch) -> Ground:
        whole = Router.__init__

        def begin(self: Router, ground: Ground) -> None:
            whole(self, ground)
            opened(land, self)

        monkeypatch.setattr(Router, "__init__", begin)
        return land.ground()


@pytest.fixture
def hold():
    """Connect one end with an address of another, and hold both ends of the connection."""
    with ExitStack() as ends:

        yield lambda near, far, address: connect(near, far, PORT + 1, ends, address)


def test_connections_by_a_floating_address_end_with_it_and_others_go_on(land, router, hold):
    router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
    guests = land.guests
    led_in = hold(guests[OUTSIDE], guests[ONE], FLOATING)
    led_out = hold(guests[ONE], guests[OUTSIDE], ADDRESSES[OUTSIDE])
    beside = hold(guests[TWO], guests[ONE], ADDRESSES[ONE])
    masked = hold(guests[TWO], guests[OUTSIDE], ADDRESSES[OUTSIDE])
    assert all(is_alive(*pair) for pair in (led_in, led_out, beside, masked))
    router.tell(floating_ips=[])
    assert all(is_cut(*pair) for pair in (led_in, led_out))
    assert all(is_alive(*pair) for pair in (beside, masked))


def test_agent_restart_and_the_same_document_again_interrupt_nothing(land, router, hold):
    router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
    held = [
        hold(land.guests[OUTSIDE], land.guests[ONE], FLOATING),
        hold(land.guests[TWO], land.guests[ONE], ADDRESSES[ONE]),
        hold(land.guests[TWO], land.guests[OUTSIDE], ADDRESSES[OUTSIDE]),
    ]
    LinuxBridgeNetwork(land.folder / "state").restore()
    router.tell()
    assert all(is_alive(*pair) for pair in held)


@pytest.fixture
def namespace(land, router):
    return land.mark.router_namespace(router.id)


LOSSES = {
    "rules": "nft flush ruleset",
    "addresses": "ip -4 addr flush dev {gateway}",
    "leg": "ip link del {gateway}",
    "route": "ip route del default",
    "switch": "sysctl -qw net.ipv4.ip_forward=0",
    "ipv6": "sysctl -qw net.ipv6.conf.all.forwarding=0; ip -6 addr flush dev {gateway}; ip -6 route flush default",
}


@pytest.mark.parametrize("what", [*LOSSES, "namespace"])
def test_what_a_router_lost_is_put_back(land, ground, router, namespace, what):
    router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
    links = run("ip", "-n", namespace, "-br", "link").stdout
    gateway = next(line.partition("@")[0] for line in links.splitlines() if line.startswith("gw"))
    if what == "namespace":
        run("ip", "netns", "del", namespace)
    else:
        run("ip", "netns", "exec", namespace, "sh", "-c", LOSSES[what].format(gateway=gateway))
    ground.reopen().restore()
    # The outside remembers no one by another address.
    assert meets_soon(ground, OUTSIDE, FLOATING) == (ONE, ADDRESSES[OUTSIDE])
    assert meets_soon(ground, TWO, ADDRESSES[OUTSIDE]) == (OUTSIDE, GATEWAY)
    assert ground.meets(OUTSIDE, ADDRESSES[TWO]) is None
    assert meets_soon(ground, TWO, ADDRESSES_IPV6[OUTSIDE]) == (OUTSIDE, ADDRESSES_IPV6[TWO])


def test_nobody_outside_passes_for_somebody_inside(land, router):
    router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
    heard = land.guests[ONE]
    land.guests[OUTSIDE].do("ip", "addr", "add", "10.2.0.77/32", "dev", "lo")
    assert land.guests[OUTSIDE].reaches(FLOATING)
    before = received(heard)
    assert land.guests[OUTSIDE].misses(FLOATING, "10.2.0.77")
    assert received(heard) == before


def test_nobody_outside_passes_for_somebody_inside_by_ipv6(land, router):
    outside, heard = land.guests[OUTSIDE], "2001:db8::9"
    outside.do("ip", "addr", "add", "fd00:2::77/128", "dev", "lo", "nodad")
    assert outside.reaches(ADDRESSES_IPV6[ONE], heard)
    assert outside.misses(ADDRESSES_IPV6[ONE], "fd00:2::77")


def received(guest: Guest) -> int:
    """Return how many ICMP echo requests a guest has heard."""
    lines = [line.split() for line in guest.do("cat", "/proc/net/snmp").stdout.splitlines() if line.startswith("Icmp:")]
    return int(dict(zip(*lines, strict=True))["InEchos"])


def test_project_routes_lead_by_a_machine_beside_the_router(land, router):
    beyond = land.guests[TWO]
    beyond.do("ip", "addr", "add", "172.16.5.5/32", "dev", "lo")
    assert land.guests[ONE].reaches(ADDRESSES[TWO])
    assert land.guests[ONE].misses("172.16.5.5")
    route = RouteSpec(destination="172.16.0.0/16", nexthop=ADDRESSES[TWO])
    router.tell(routes=[route])
    assert land.guests[ONE].reaches("172.16.5.5")
    # A route whose machine is in no network of the router now waits for it, and keeps nothing else away.
    router.tell(routes=[route, RouteSpec(destination="172.17.0.0/16", nexthop="10.77.0.5")])
    assert land.guests[ONE].reaches("172.16.5.5")
    router.tell(routes=[])
    assert land.guests[ONE].misses("172.16.5.5")


@pytest.fixture
def metadata_service(land):
    argv = [sys.executable, "-m", "compute_agent.network.metadata"]
    process = subprocess.Popen(argv, env={**os.environ, "NOVELLA_STATE_DIR": str(land.folder / "state")})
    yield process
    process.terminate()
    process.wait(60)


@pytest.mark.usefixtures("metadata_service")
def test_metadata_is_the_hosts_own_whatever_the_guests_routes_say(land, router):
    guest, other = land.guests[ONE], land.guests[TWO]
    guest.wait_for_metadata()
    guest.do("ip", "route", "replace", "169.254.169.254", "via", "10.1.0.1")
    path = "/openstack/latest/meta_data.json"
    assert guest.fetch_json(path)["hostname"] == "s1"
    # As somebody else, of its own network or another, it is answered nothing.
    for address in ("10.1.0.99", ADDRESSES[TWO]):
        guest.do("ip", "addr", "add", f"{address}/32", "dev", "lo")
        assert guest.fetch(path, "--interface", address, seconds=3)[0] in (0, 404)
        guest.do("ip", "addr", "del", f"{address}/32", "dev", "lo")
    assert other.fetch_json(path)["hostname"] == "s1"


def test_dhcp_tells_of_the_router(land, router):
    guest = land.guests[ONE]
    guest.do("ip", "addr", "flush", "dev", "eth0")
    ip, _, gateway, _, routes = guest.dhcp()
    assert (ip, gateway) == (ADDRESSES[ONE], "10.1.0.1")
    assert "0.0.0.0/0 10.1.0.1" in routes
    assert guest.reaches(ADDRESSES[TWO])


def test_the_gateway_goes_to_the_router_and_comes_back(land, ground, router):
    guest = land.guests[ONE]
    leg = run("ip", "-n", land.mark.namespace(land.nets[ONE].id), "-4", "addr", "show", "leg").stdout
    assert "10.1.0.1/" not in leg
    assert guest.reaches("10.1.0.1")
    router.forget()
    # The one who holds it now has said so: else it would be asked for again after half a minute.
    assert guest.reaches("10.1.0.1", seconds=10)
    leg = run("ip", "-n", land.mark.namespace(land.nets[ONE].id), "-4", "addr", "show", "leg").stdout
    assert "10.1.0.1/24" in leg


def test_a_routed_guest_has_no_other_way_out(land, router):
    """Not even if it sends to the namespace that answers for metadata."""
    router.tell(gateway=None, gateway_ips=[])
    guest = land.guests[ONE]
    guest.do("ip", "route", "replace", HOST_ADDRESS, "via", "169.254.169.254", "onlink", "dev", "eth0")
    assert guest.finds("169.254.169.254")
    assert guest.misses(HOST_ADDRESS)
    router.forget()
    assert guest.reaches(HOST_ADDRESS)


def test_nothing_of_a_router_is_left(land, ground, router, namespace):
    for instance_uuid in set(land.driver.plugged_ports().values()):
        land.driver.unplug(instance_uuid)
    router.forget()
    assert not namespaces.exists(namespace)
    links = run("ip", "-o", "link").stdout
    assert not [line for line in links.splitlines() if ": nrt" in line or ": ngw" in line]
    router.tell()
    land.driver.purge()
    assert not namespaces.names("nrtr-")
    assert not [line for line in run("ip", "-o", "link").stdout.splitlines() if "novella:" in line]


def test_a_leg_is_announced_once_its_bridge_passes_that_on(land, ground, router, monkeypatch):
    guest, leg, said = land.guests[ONE], router.spec.interfaces[0], []
    cable = interface_cable_name(leg.port_id)
    assert guest.reaches("10.1.0.1")
    run("ip", "link", "del", cable)
    guest.do("ip", "neigh", "replace", "10.1.0.1", "lladdr", "fa:16:3e:66:66:66", "dev", "eth0", "nud", "reachable")
    for where, name in ((Links, "await_forwarding"), (furnishing, "announce")):
        whole = getattr(where, name)
        monkeypatch.setattr(
            where, name, lambda *args, name=name, whole=whole: (whole(*args), said.append((name, args[:2])))
        )
    ground.reopen().restore()
    assert [name for name, _ in said] == ["await_forwarding", "announce"]
    assert said[0][1][1] == cable
    assert eventually(lambda: leg.mac_address in guest.do("ip", "neigh", "show", "10.1.0.1").stdout, 5)


def test_a_port_is_waited_for_until_its_bridge_passes_on_what_it_hears(land):
    run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far")
    run("ip", "link", "set", "near", "up", "master", bridge_name(land.nets[ONE].id))
    state = Path("/sys/class/net/near/brport/state")
    try:
        assert state.read_text().strip() != "3"
        raising = threading.Timer(0.5, run, ("ip", "link", "set", "far", "up"))
        raising.start()
        with Links() as links:
            links.await_forwarding("near")
        assert state.read_text().strip() == "3"
        raising.join()
    finally:
        run("ip", "link", "del", "near")
