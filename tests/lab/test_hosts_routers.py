"""Routers, floating addresses and what guests must not do, with real guests on three hosts and the machine outside."""

import socket
import time
from contextlib import closing

import pytest

from host.lab.wires import outside
from tests.fixtures.clouds import wait_until
from tests.fixtures.guest_shell import PORT, SERVE, ask, heard, is_reached
from tests.fixtures.lab import SETTLE_SECONDS

# Where they live; a first router goes to h1.
WEST, PEER, EAST = "10.41.0.11", "10.41.0.12", "10.42.0.13"
PLAN = {"west": ("h2", "west-side", WEST), "peer": ("h2", "west-side", PEER), "east": ("h3", "east-side", EAST)}
SIXES = {"west-side": "fd00:41::", "east-side": "fd00:42::"}
# What a guest does once it has its addresses, and tells for ever: whether it reaches the machine outside by itself.
SCRIPT = f"""#!/bin/sh
{SERVE}
while true; do
  ping -c 1 -W 2 {{outside}} >/dev/null 2>&1 && echo "### OUTSIDE yes" || echo "### OUTSIDE no"
  sleep 2
done
"""
REACH_SECONDS = SETTLE_SECONDS
# As another: by these words of the script, whose output a later connection reads.
AS_ANOTHER = """
is_so() {{ name=$1; shift; "$@" >/dev/null 2>&1 && echo "$name yes" || echo "$name no"; }}
becomes_so() {{ for time in $(seq 20); do is_so "$@" | grep yes && return; done; echo "$1 no"; }}
mac=$(cat /sys/class/net/eth0/address)
becomes_so itself ping -c 1 -W 1 {peer}
ip addr add {stranger}/24 dev eth0
is_so address ping -c 2 -W 1 -I {stranger} {peer}
ip addr del {stranger}/24 dev eth0
echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad
ip addr add {stranger6}/64 dev eth0
is_so address6 ping -6 -c 2 -W 1 -I {stranger6} {peer6}
ip addr del {stranger6}/64 dev eth0
ip link set eth0 down; ip link set eth0 address 02:00:00:00:00:99; ip link set eth0 up
is_so mac ping -c 2 -W 1 {peer}
ip link set eth0 down; ip link set eth0 address $mac; ip link set eth0 up
ip -4 addr flush dev eth0; ip addr add {peer}/24 dev eth0; ip route add default via {gateway}
is_so metadata metadata meta_data.json
ip -4 addr flush dev eth0; ip addr add {west}/24 dev eth0; ip route add default via {gateway}
becomes_so itself-again ping -c 1 -W 1 {peer}
becomes_so itself6 ping -6 -c 1 -W 1 {peer6}
becomes_so own-metadata metadata meta_data.json
echo done
"""

ROGUE = r"start 10.41.0.200\nend 10.41.0.210\ninterface eth0\nlease_file /tmp/leases\noption subnet 255.255.255.0\n"


@pytest.fixture(scope="module")
def admin(lab):
    return lab.connect("novella-admin")


@pytest.fixture(scope="module")
def machine(lab):
    """The machine's address on the wire to the outside."""
    return str(outside(lab.settings).ip)


@pytest.fixture(scope="module")
def group(admin):
    """The only security group of the guests: it lets pings in, whoever asks for DHCP, and the port of the shell."""
    one = admin.network.create_security_group(name="guests")
    port = {"port_range_min": PORT, "port_range_max": PORT}
    plain = ({"protocol": "icmp"}, {"protocol": "ipv6-icmp", "ether_type": "IPv6"}, {"protocol": "udp"})
    for rule in (*plain, {"protocol": "tcp", **port}):
        admin.network.create_security_group_rule(security_group_id=one.id, direction="ingress", **rule)
    yield one
    admin.network.delete_security_group(one.id)


@pytest.fixture(scope="module")
def router(admin):
    """Two networks, a router between them and the outside."""
    public = admin.network.find_network("public")
    one = admin.network.create_router(name="gate", external_gateway_info={"network_id": public.id})
    networks, subnets = [], []
    for name, cidr in (("west-side", "10.41.0.0/24"), ("east-side", "10.42.0.0/24")):
        networks.append(admin.network.create_network(name=name))
        subnets.append(admin.network.create_subnet(network_id=networks[-1].id, ip_version=4, cidr=cidr))
        subnets.append(admin.network.create_subnet(
            network_id=networks[-1].id, ip_version=6, cidr=f"{SIXES[name]}/64", ipv6_ra_mode="slaac",
            ipv6_address_mode="slaac",
        ))  # fmt: skip
    for subnet in subnets:
        admin.network.add_interface_to_router(one, subnet_id=subnet.id)
    yield one
    for subnet in subnets:
        admin.network.remove_interface_from_router(one, subnet_id=subnet.id)
    admin.network.delete_router(one.id)
    for network in networks:
        admin.network.delete_network(network.id)


@pytest.fixture(scope="module")
def ports(admin, router, group):
    made = {
        name: admin.network.create_port(
            network_id=admin.network.find_network(network).id, fixed_ips=[{"ip_address": address}],
            security_group_ids=[group.id],
        )
        for name, (_, network, address) in PLAN.items()
    }  # fmt: skip
    yield made
    for port in made.values():
        admin.network.delete_port(port.id)


@pytest.fixture(scope="module")
def guests(lab, admin, machine, ports):
    """Three guests: two of one network on one host, and one of the other network on another."""
    made = {
        name: admin.create_server(
            name, image="tiny", flavor="small", nics=[{"port-id": ports[name].id}], availability_zone=f"nova:{host}",
            userdata=SCRIPT.format(outside=machine), auto_ip=False, wait=True,
            timeout=SETTLE_SECONDS,
        ).id
        for name, (host, _, _) in PLAN.items()
    }  # fmt: skip
    yield made
    for uuid in made.values():
        admin.compute.delete_server(uuid, ignore_missing=True)
    wait_until(lambda: not list(admin.compute.servers()), "the guests to be gone", SETTLE_SECONDS)


@pytest.fixture(scope="module")
def floating(admin, guests, ports):
    """The floating address of the guest in the west."""
    one = admin.network.create_ip(
        floating_network_id=admin.network.find_network("public").id, port_id=ports["west"].id
    )
    yield one.floating_ip_address
    admin.network.delete_ip(one.id)


def home_of(admin, router) -> str:
    (gateway,) = admin.network.ports(device_id=router.id, device_owner="network:router_gateway")
    return str(gateway.binding_host_id)


def six(port) -> str:
    """Return the IPv6 address of a port, made of its MAC address."""
    (found,) = [one["ip_address"] for one in port.fixed_ips if ":" in one["ip_address"]]
    return str(found)


def is_found(address: str, at: str) -> bool:
    """Whether the guest at a floating address reaches another one."""
    return "1 packets received" in heard(address, f"ping -c 1 -W 2 {at}")


def test_a_router_joins_two_networks_and_the_outside(lab, admin, router, guests, floating):
    assert home_of(admin, router) == "h1"
    wait_until(lambda: "### OUTSIDE yes" in lab.console(guests["east"], length=40), "the east to reach the outside",
               REACH_SECONDS)
    wait_until(lambda: is_reached(floating), "the west to be reached from outside", REACH_SECONDS)
    wait_until(lambda: is_found(floating, EAST), "the west to reach the east", REACH_SECONDS)
    wait_until(lambda: is_found(floating, PEER), "the west to reach its peer", REACH_SECONDS)


def test_addresses_of_advertised_prefixes_are_routed_and_metadata_answers_there(floating, ports):
    wait_until(lambda: is_found(floating, six(ports["east"])), "the west to reach the east by IPv6", REACH_SECONDS)
    request = r"printf 'GET /openstack/latest/meta_data.json HTTP/1.0\r\n\r\n' | timeout 5 nc fe80::a9fe:a9fe%eth0 80"
    wait_until(lambda: '"name": "west"' in heard(floating, request), "metadata to answer", REACH_SECONDS)


def is_open(address: str) -> bool:
    """Whether the port of the shell takes a connection at once: a first packet that is lost is sent again after 1 s."""
    try:
        with socket.create_connection((address, PORT), timeout=0.2):
            return True
    except OSError:
        return False


def seconds_of_talk(connection: socket.socket) -> float:
    """Return how long something still comes."""
    begun = last = time.monotonic()
    while last - begun < REACH_SECONDS:
        try:
            connection.recv(4096)
        except TimeoutError:
            return last - begun
        last = time.monotonic()
    pytest.fail("it goes on for ever")


def test_a_rule_that_goes_ends_what_it_let_in(admin, group, floating):
    (rule,) = admin.network.security_group_rules(security_group_id=group.id, protocol="tcp")
    with closing(socket.create_connection((floating, PORT), timeout=30)) as connection:
        connection.settimeout(30)
        connection.sendall(b"while true; do echo tick; usleep 100000; done\n")
        assert connection.recv(100)
        connection.settimeout(5)
        admin.network.delete_security_group_rule(rule.id)
        print(f"the last word of a connection came {seconds_of_talk(connection):.2f} s after its rule was gone")
    wait_until(lambda: not is_reached(floating), "the port to be closed", REACH_SECONDS)
    admin.network.create_security_group_rule(
        security_group_id=group.id, direction="ingress", protocol="tcp", port_range_min=PORT, port_range_max=PORT
    )
    begun = time.monotonic()
    wait_until(lambda: is_open(floating), "the port to be open again", REACH_SECONDS, every=0.01)
    print(f"a new connection came {time.monotonic() - begun:.2f} s after there was a rule again")


def test_nobody_is_another(floating, ports):
    """By address, by MAC address, or at the metadata service; what it is by right works before and after."""
    words = AS_ANOTHER.format(
        peer=PEER, west=WEST, stranger="10.41.0.99", gateway="10.41.0.1",
        peer6=six(ports["peer"]), stranger6=f"{SIXES['west-side']}99",
    )  # fmt: skip
    ask(floating, f"cat >/tmp/try <<'END'\n{words}\nEND\nsh /tmp/try >/tmp/tried 2>&1 </dev/null &")

    def tried() -> list[str]:
        lines = heard(floating, "cat /tmp/tried").splitlines()
        return lines if lines[-1:] == ["done"] else []

    assert wait_until(tried, "the tries to end", REACH_SECONDS) == [
        "itself yes", "address no", "address6 no", "mac no", "metadata no", "itself-again yes", "itself6 yes",
        "own-metadata yes", "done",
    ]  # fmt: skip


def test_nobody_answers_for_another(floating):
    """What the peer believes of the gateway stays, and its addresses come from the network's own DHCP server."""
    inside = f"echo '{{}} 2>&1; exit' | nc -w 20 {PEER} {PORT}"
    gateway = "ip neigh show 10.41.0.1"
    before = ask(floating, inside.format(f"ping -c 1 10.41.0.1 >/dev/null; {gateway}")).split()
    ask(floating, "arping -U -c 2 -s 10.41.0.1 10.41.0.1; arping -A -c 2 -s 10.41.0.1 10.41.0.1")
    after = ask(floating, inside.format(gateway)).split()
    assert "lladdr" in before
    assert after[after.index("lladdr") + 1] == before[before.index("lladdr") + 1]
    ask(floating, f"touch /tmp/leases; printf '{ROGUE}' >/tmp/rogue")
    ask(floating, "udhcpd -f -a 10 /tmp/rogue >/tmp/offers 2>&1 </dev/null &")
    assert "udhcpd" in ask(floating, "ps")
    asked = ask(floating, inside.format("udhcpc -f -q -n -i eth0 -t 5 -T 2 -s /bin/true"), 40)
    assert f"lease of {PEER} obtained from" in asked, asked
    assert WEST not in asked
    wait_until(lambda: "sending OFFER" in heard(floating, "cat /tmp/offers"), "the rogue to be asked", REACH_SECONDS)
    ask(floating, "killall udhcpd")


def test_an_interface_comes_to_a_running_guest_and_goes(admin, guests, floating):
    network = admin.network.find_network("east-side")
    made = admin.compute.create_server_interface(guests["west"], net_id=network.id)
    wait_until(lambda: "eth1" in heard(floating, "ls /sys/class/net"), "the guest to see it", REACH_SECONDS)
    assert ask(floating, "cat /sys/class/net/eth1/address").strip() == made.mac_addr
    admin.compute.delete_server_interface(made.port_id, server=guests["west"])
    wait_until(lambda: (links := heard(floating, "ls /sys/class/net")) and "eth1" not in links,
               "the guest to see it go", REACH_SECONDS)


def test_a_router_goes_on_elsewhere_when_its_host_has_no_power(lab, admin, router, floating):
    lab.lab("kill", "h1")
    begun = time.monotonic()
    wait_until(lambda: home_of(admin, router) != "h1", "the router to be elsewhere", SETTLE_SECONDS)
    wait_until(lambda: is_reached(floating), "the west to be reached by another host", REACH_SECONDS)
    print(f"reached {time.monotonic() - begun:.0f} s after the power was cut")
    lab.lab("start", "h1")
    wait_until(lambda: len(lab.hosts_up()) == 3, "the hosts to be up", SETTLE_SECONDS)


def test_a_floating_address_that_goes_reaches_nobody(lab, admin, floating):
    (one,) = admin.network.ips(floating_ip_address=floating)
    admin.network.update_ip(one.id, port_id=None)
    wait_until(lambda: not is_reached(floating), "the west not to be reached", REACH_SECONDS)
    wait_until(lambda: lab.audit() == "", "the audit to be silent", SETTLE_SECONDS)
