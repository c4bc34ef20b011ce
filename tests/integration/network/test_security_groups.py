"""What may pass a port, on a real kernel: guests are namespaces, connections are real ones."""

import os
from contextlib import ExitStack

import msgspec
import pytest

from compute_agent.network import nft
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import Mark
from contracts.networks import GroupSpec, RuleSpec
from tests.integration.network.connecting import can_connect, connect, is_alive, is_cut, is_denied
from tests.integration.network.documents import ICMP, OUT, TCP, ControlPlane, guard, lets_in, pair
from tests.integration.network.guests import Guest, network, port, run
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]

META = {"uuid": "", "hostname": "s1", "public_keys": {}, "availability_zone": "nova"}
ONE, TWO = "10.99.0.5", "10.99.0.6"


@pytest.fixture
def control(driver):
    return ControlPlane(driver)


@pytest.fixture
def guests(driver, tmp_path):
    """Two guests of one network, plugged, with their addresses, and no document yet."""
    net = network()
    made = [Guest(port(net, address), tmp_path) for address in (ONE, TWO)]
    for guest in made:
        guest.start()
        guest.static(f"{guest.port.fixed_ips[0].ip_address}/24")
        driver.plug(new_id(), [guest.port], META, "")
    # There is a way between them, which no rule closes to who asks for a neighbour.
    assert made[0].finds(TWO)
    assert made[1].finds(ONE)
    yield made
    for guest in made:
        guest.stop()


@pytest.fixture
def held_connection():
    """Make connections that are let pass now, and hold both ends of each."""
    with ExitStack() as ends:

        yield lambda client, server, number: connect(client, server, number, ends)


def busy_seconds() -> float:
    """Return how long this process and what it started have been at work: others' work does not count."""
    return sum(os.times()[:4])


def test_port_is_closed_before_the_document_comes_but_for_what_it_needs(guests):
    a, b = guests
    assert is_denied(a, TWO, 22)
    assert is_denied(b, ONE, 22)
    a.do("ip", "addr", "flush", "dev", "eth0")
    assert a.dhcp()[0] == ONE
    assert can_connect(a, "169.254.169.254", 80)
    assert is_denied(a, "10.99.0.1", 80)


def test_only_what_a_rule_names_comes_in_and_answers_go_out(guests, control):
    a, b = guests
    out, ssh = control.group(*OUT), control.group(lets_in(TCP, 22))
    control.put(a.port, out)
    control.put(b.port, ssh)
    assert can_connect(a, TWO, 22)
    assert is_denied(a, TWO, 23)
    assert is_denied(b, ONE, 22), "nothing lets it out"
    control.group(lets_in(TCP, 22), lets_in(ICMP), id=ssh)
    assert a.reaches(TWO)


def test_rule_for_a_group_lets_in_its_members_and_nobody_else(guests, control, state_dir, held_connection):
    a, b = guests
    out, peers = control.group(*OUT), new_id()
    closed = control.group(lets_in(TCP, 22, remote_group_id=peers))
    control.put(a.port, out)
    control.put(b.port, closed, out)
    assert is_denied(a, TWO, 22)
    control.members(peers, ONE, "10.99.0.7", "10.99.7.0/24", "10.99.7.9")
    assert can_connect(a, TWO, 22)
    near, far = held_connection(a, b, 22)
    control.members(peers, "10.99.0.7", "10.99.7.0/24")
    assert is_denied(a, TWO, 22)
    assert is_cut(near, far), "it is no member any more"
    control.tell(gone={"members": [peers], "groups": [closed]}, guards={b.port.id: guard(b.port, out)})
    listed = run("nft", "list", "table", "bridge", Mark.of(state_dir).table).stdout
    assert peers not in listed
    assert closed not in listed


def test_established_connection_ends_within_a_second_with_its_rule_and_others_do_not(guests, control, held_connection):
    a, b = guests
    out, web = control.group(*OUT), control.group(lets_in(TCP, 80), lets_in(TCP, 22))
    control.put(a.port, out)
    control.put(b.port, web, out)
    doomed, other = held_connection(a, b, 22), held_connection(a, b, 80)
    assert is_alive(*doomed)
    assert is_alive(*other)
    started = busy_seconds()
    control.group(lets_in(TCP, 80), id=web)
    assert is_cut(*doomed)
    assert busy_seconds() - started < 1
    assert is_cut(*reversed(doomed)), "the server cannot take it up again, though it may send what it likes"
    assert is_alive(*other)
    started = busy_seconds()
    control.group(lets_in(TCP, 80), lets_in(TCP, 22), id=web)
    assert busy_seconds() - started < 1
    assert can_connect(a, TWO, 22)


def test_connection_ends_with_the_address_that_it_was_made_to(guests, control, held_connection):
    a, b = guests
    both = control.group(*OUT, lets_in(TCP))
    control.put(a.port, both)
    control.put(b.port, both)
    pair_of_ends = held_connection(a, b, 22)
    control.put(b.port, both, addresses=["10.99.0.60"])
    assert is_cut(*pair_of_ends)


def test_stateless_group_lets_no_answer_pass_that_it_does_not_name(guests, control):
    a, b = guests
    control.put(a.port, control.group(*OUT, is_stateful=False))
    control.put(b.port, control.group(*OUT, lets_in(TCP, 22)))
    assert is_denied(a, TWO, 22)
    control.put(a.port, control.group(*OUT, lets_in(TCP), is_stateful=False))
    assert can_connect(a, TWO, 22)


def test_port_without_security_may_say_anything_and_one_that_is_down_nothing(guests, control):
    a, b = guests
    control.put(a.port, is_secured=False)
    control.put(b.port, control.group(lets_in(TCP, 22)))
    a.static("10.99.0.77/24")
    assert can_connect(a, TWO, 22, source="10.99.0.77")
    a.do("ip", "link", "set", "eth0", "address", "fa:16:3e:aa:aa:aa")
    assert can_connect(a, TWO, 22)
    control.put(a.port, is_secured=False, is_up=False)
    assert is_denied(a, TWO, 22)


def test_address_pairs_widen_what_a_port_may_send_as_and_nothing_else_does(guests, control, driver):
    a, b = guests
    out, mac = control.group(*OUT), "fa:16:3e:bb:bb:bb"
    control.put(b.port, control.group(lets_in(TCP, 22)))
    control.put(a.port, out)
    a.static("10.99.0.77/24")
    assert is_denied(a, TWO, 22, source="10.99.0.77")
    a.do("ip", "neigh", "flush", "all")
    control.put(a.port, out, pairs=[pair("10.99.0.72/29", a.port.mac_address), pair("10.99.0.88", mac)])
    assert can_connect(a, TWO, 22, source="10.99.0.77")
    a.static("10.99.0.88/24")
    assert is_denied(a, TWO, 22, source="10.99.0.88")
    a.do("ip", "neigh", "flush", "all")
    a.do("ip", "link", "set", "eth0", "address", mac)
    b.do("ip", "neigh", "flush", "dev", "eth0")
    assert can_connect(a, TWO, 22, source="10.99.0.88")
    assert is_denied(a, TWO, 22, source=ONE)


def test_rules_hold_for_ipv6_too(driver, control, tmp_path):
    net = network()
    made = []
    for number in (5, 6):
        spec = port(net, f"10.99.0.{number}")
        both = [*spec.fixed_ips, msgspec.structs.replace(spec.fixed_ips[0], ip_address=f"fd00::{number}")]
        guest = Guest(msgspec.structs.replace(spec, fixed_ips=both), tmp_path)
        made.append(guest)
        guest.start()
        guest.do("sysctl", "-qw", "net.ipv6.conf.eth0.accept_dad=0")
        guest.do("ip", "addr", "add", f"fd00::{number}/64", "dev", "eth0", "nodad")
        driver.plug(new_id(), [guest.port], META, "")
    a, b = made
    ssh = RuleSpec(direction="ingress", ip_version=6, protocol=TCP, port_min=22, port_max=22, remote_prefix="fd00::/64")
    try:
        assert is_denied(a, "fd00::6", 22)
        control.put(a.port, control.group(*OUT))
        control.put(b.port, control.group(ssh))
        assert can_connect(a, "fd00::6", 22)
        assert is_denied(a, "fd00::6", 23)
    finally:
        for guest in made:
            guest.stop()


def test_new_driver_changes_nothing_and_interrupts_nothing(guests, control, state_dir, monkeypatch, held_connection):
    a, b = guests
    out = control.group(*OUT, lets_in(TCP, remote_group_id=(peers := new_id())))
    control.members(peers, ONE, TWO)
    control.put(a.port, out)
    control.put(b.port, out)
    ends = held_connection(a, b, 22)
    again = LinuxBridgeNetwork(state_dir)
    assert (again.applied_version(), again.known()) == (control.driver.applied_version(), control.driver.known())
    applied = []
    monkeypatch.setattr(nft, "apply", applied.append)
    again.restore()
    assert applied == []
    assert is_alive(*ends)


def test_what_was_taken_from_the_kernel_comes_back(guests, control, driver, state_dir):
    a, b = guests
    out = control.group(*OUT, lets_in(TCP))
    control.put(a.port, out)
    control.put(b.port, out)
    assert can_connect(a, TWO, 22)
    run("nft", "flush", "chain", "bridge", Mark.of(state_dir).table, f"gin_{out}")
    assert is_denied(a, TWO, 22)
    driver.restore()
    assert can_connect(a, TWO, 22)
    run("nft", "delete", "table", "bridge", Mark.of(state_dir).table)
    driver.plug(new_id(), [b.port], META, "")
    assert can_connect(a, TWO, 22)


def test_thousand_members_are_one_set_and_one_more_is_one_element(guests, control, monkeypatch):
    a, _ = guests
    peers = new_id()
    control.put(a.port, control.group(*OUT, lets_in(TCP, remote_group_id=peers)))
    thousand = [f"10.1.{i // 250}.{i % 250}" for i in range(1000)]
    control.members(peers, *thousand)
    applied, apply = [], nft.apply
    monkeypatch.setattr(nft, "apply", lambda commands: applied.append(commands) or apply(commands))
    control.members(peers, *thousand[1:], "10.2.0.0/16")
    (commands,) = applied
    assert [next(iter(command)) for command in commands] == ["delete", "add"]
    assert all(len(next(iter(command.values()))["element"]["elem"]) == 1 for command in commands)


def test_older_document_changes_nothing(guests, control, driver):
    a, b = guests
    control.put(a.port, control.group(*OUT))
    control.put(b.port, group := control.group(lets_in(TCP)))
    before = driver.applied_version(), driver.known()
    ControlPlane(driver).tell(gone={"groups": [group]}, groups={new_id(): GroupSpec()})
    assert (driver.applied_version(), driver.known()) == before
    assert can_connect(a, TWO, 22)
