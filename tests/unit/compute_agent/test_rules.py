"""The commands that rules become, and the verdicts that the document alone gives."""

import pytest

from compute_agent.network import nft, port_guards, security_groups
from compute_agent.network.guards import Difference
from compute_agent.network.judgement import EGRESS, ICMP, INGRESS, TCP, UDP, Opening, is_allowed
from compute_agent.network.names import Mark, tap_name
from compute_agent.network.ports import PluggedPort
from compute_agent.network.rule_digests import Ruleset
from contracts.networks import GroupSpec, GuardSpec, HostNetworks, MembersSpec, RuleSpec
from tests.integration.network.documents import lets_in
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id

GROUP, PEERS = new_id(), new_id()
PORT = PluggedPort(new_id(), port(network(), "10.99.0.5"))
MARK = Mark("t")
TABLE = nft.Table("bridge", MARK.table)
IP = nft.meta("protocol", "ip")


def document(*rules: RuleSpec, members: tuple[str, ...] = (), **guard: object) -> HostNetworks:
    whole = {"mac_address": PORT.spec.mac_address, "addresses": ["10.99.0.5"], "group_ids": [GROUP], **guard}
    return HostNetworks(
        host="h", version=1, guards={PORT.spec.id: GuardSpec(**whole)}, groups={GROUP: GroupSpec(rules=list(rules))},
        members={PEERS: MembersSpec(addresses=list(members))},
    )  # fmt: skip


def kernel_with(commands: list[nft.Command]) -> Ruleset:
    """Return what nft would list after these commands, as far as a Ruleset looks."""
    rows: list[dict] = []
    for command in commands:
        rows += [{kind: value} for kind, value in command.get("add", {}).items() if kind != "element"]
    for command in commands:
        element = command.get("add", {}).get("element")
        if element:
            holders = [one for row in rows for one in row.values() if "type" in one]
            holder = next(one for one in holders if one["name"] == element["name"])
            holder.setdefault("elem", []).extend(element["elem"])
    return Ruleset(rows)


def base() -> list[nft.Command]:
    return [TABLE.verdict_map(name) for name in port_guards.MAPS]


@pytest.mark.parametrize(("rule", "matches"), [
    (lets_in(-1), []),
    (lets_in(UDP, 53), [nft.meta("l4proto", 17), nft.field("udp", "dport", 53)]),
    (lets_in(TCP), [nft.meta("l4proto", 6)]),
    (
        RuleSpec(direction="ingress", ip_version=4, protocol=TCP, port_min=1, port_max=9),
        [nft.meta("l4proto", 6), nft.field("tcp", "dport", {"range": [1, 9]})],
    ),
    (
        RuleSpec(direction="ingress", ip_version=4, protocol=ICMP, port_min=8, port_max=0),
        [nft.meta("l4proto", 1), nft.field("icmp", "type", 8), nft.field("icmp", "code", 0)],
    ),
    (lets_in(47, remote_prefix="10.0.0.5/8"),
     [nft.field("ip", "saddr", nft.prefix("10.0.0.0", 8)), nft.meta("l4proto", 47)]),
    (lets_in(-1, remote_group_id=PEERS), [nft.field("ip", "saddr", f"@m4_{PEERS}")]),
])  # fmt: skip
def test_rule_is_one_rule_of_its_groups_chain(rule, matches):
    assert security_groups.chains(document(rule))[f"gin_{GROUP}"] == [[IP, *matches, nft.ACCEPT]]
    assert security_groups.chains(document(rule))[f"gout_{GROUP}"] == []


def test_second_look_finds_nothing_to_do_and_one_rule_touches_one_chain():
    before = document(lets_in(TCP, 22), lets_in(TCP, remote_group_id=PEERS), members=("10.0.0.1", "fd00::1"))
    there = [*base(), *Difference(MARK, Ruleset([]), before, [PORT]).commands()]
    assert Difference(MARK, kernel_with(there), before, [PORT]).commands() == []
    after = document(lets_in(TCP, 23), lets_in(TCP, remote_group_id=PEERS), members=("10.0.0.1", "fd00::1"))
    commands = Difference(MARK, kernel_with(there), after, [PORT]).commands()
    described = [what for command in commands for kinds in command.values() for what in kinds.values()]
    assert {what.get("chain", what.get("name")) for what in described} == {f"gin_{GROUP}"}
    assert len(commands) == 4


def test_members_change_by_elements_and_hold_no_overlap():
    named = lets_in(TCP, remote_group_id=PEERS)
    there = [*base(), *Difference(MARK, Ruleset([]), document(named, members=("10.0.0.1",)), [PORT]).commands()]
    after = document(named, members=("10.1.0.0/16", "10.1.2.3", "10.1.2.0/24"))
    assert Difference(MARK, kernel_with(there), after, [PORT]).commands() == [
        TABLE.set_elements("delete", f"m4_{PEERS}", ["10.0.0.1"]),
        TABLE.set_elements("add", f"m4_{PEERS}", ["10.1.0.0/16"]),
    ]


def test_port_that_is_gone_is_first_called_no_more_and_then_removed():
    there = [*base(), *Difference(MARK, Ruleset([]), document(), [PORT]).commands()]
    kinds = [
        (verb, kind)
        for command in Difference(MARK, kernel_with(there), document(), []).commands()
        for verb, what in command.items()
        for kind in what
    ]
    assert kinds == [("delete", "element")] * 3 + [("flush", "chain")] * 3 + [("delete", "chain")] * 3


def test_port_from_before_there_were_groups_stays_open_until_a_document_comes():
    tap, chain = tap_name(PORT.spec.id), port_guards.chain_name(port_guards.SOURCES, PORT.spec.id)
    there = kernel_with([*base(), TABLE.chain(chain), TABLE.map_element("add", port_guards.SOURCES, tap, chain)])
    nothing = HostNetworks(host="", version=0)
    assert f"out_{PORT.spec.id}" not in str(Difference(MARK, there, nothing, [PORT]).commands())
    assert f"out_{PORT.spec.id}" in str(Difference(MARK, there, document(), [PORT]).commands())


@pytest.mark.parametrize(("opening", "verdict"), [
    (Opening(INGRESS, TCP, 22, "10.0.0.1"), True),
    (Opening(INGRESS, TCP, 22, "10.0.0.2"), False),
    (Opening(INGRESS, TCP, 22, "10.7.9.9"), True),
    (Opening(INGRESS, TCP, 23, "10.0.0.1"), False),
    (Opening(EGRESS, TCP, 22, "10.0.0.1"), False),
    (Opening(EGRESS, UDP, 67, "255.255.255.255"), True),
    (Opening(EGRESS, TCP, 80, "169.254.169.254"), True),
    (Opening(EGRESS, TCP, 80, "10.0.0.1"), False),
    (Opening(INGRESS, 58, 135, "fe80::1"), True),
    (Opening(INGRESS, ICMP, 8, "10.9.9.9", 0), True),
    (Opening(INGRESS, ICMP, 0, "10.9.9.9", 0), False),
])  # fmt: skip
def test_verdicts(opening, verdict):
    ping = RuleSpec(direction="ingress", ip_version=4, protocol=ICMP, port_min=8)
    told = document(lets_in(TCP, 22, remote_group_id=PEERS), ping, members=("10.0.0.1", "10.7.0.0/16"))
    assert is_allowed(told, told.guards[PORT.spec.id], opening) is verdict


def test_answers_pass_only_where_a_group_remembers():
    guards, forgets = document().guards, GroupSpec(is_stateful=False)
    stateless = HostNetworks(host="h", version=1, guards=guards, groups={GROUP: forgets})
    assert "mark" in str(port_guards.chains(document(), PORT, MARK)[port_guards.SENDERS])
    assert "mark" not in str(port_guards.chains(stateless, PORT, MARK)[port_guards.SENDERS])
