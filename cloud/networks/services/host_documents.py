"""What a host's networks shall be, read from the rows: it grows with what is on the host, not with the cloud."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from cloud.core.host_links import Use, link
from cloud.core.kept import Kept
from cloud.networks.models import FixedIp, HostNetworkState, Network, Port, SecurityGroupRule
from cloud.networks.models.device_owners import SERVICE
from cloud.networks.services.carriers import neighbours_of, segments_of
from cloud.networks.services.dhcp_options import told
from cloud.networks.services.host_limits import limits_of
from cloud.networks.services.host_routers import routers
from cloud.networks.services.rule_checks import protocol_number
from contracts.networks import (
    ANY,
    PARTS,
    AddressPair,
    GroupSpec,
    GuardSpec,
    HostNetworks,
    MembersSpec,
    RuleSpec,
    digest,
)

_PortGroup = Port.security_groups.through
_wanted: Kept[int] = Kept(lambda host: HostNetworkState.objects.filter(host=host).values_list("wanted", flat=True))
_ports: Kept[Port] = Kept(lambda host: Port.objects.filter(host=host).order_by("id"))
_networks: Kept[Network] = Kept(lambda ids: Network.objects.filter(id__in=ids))
_fixed_ips: Kept[tuple[str, str, str | None]] = Kept(
    lambda port_ids: (
        FixedIp.objects.filter(port__in=port_ids)
        .order_by("id", "floating_ips__created_at", "floating_ips__id")
        .values_list("port_id", "ip_address", "floating_ips__floating_ip_address")
    )
)
_port_groups: Kept[tuple[str, str, bool]] = Kept(
    lambda port_ids: (
        _PortGroup.objects.filter(port__in=port_ids)
        .order_by("securitygroup_id")
        .values_list("port_id", "securitygroup_id", "securitygroup__stateful")
    )
)
_rules: Kept[SecurityGroupRule] = Kept(
    lambda group_ids: SecurityGroupRule.objects.filter(group__in=group_ids).order_by("created_at", "id")
)
_member_addresses: Kept[tuple[str, str | None]] = Kept(
    lambda group_ids: _PortGroup.objects.filter(securitygroup__in=group_ids).values_list(
        "securitygroup_id", "port__fixed_ips__ip_address"
    )
)
_member_pairs: Kept[tuple[str, list[dict[str, str]]]] = Kept(
    lambda group_ids: (
        _PortGroup.objects.filter(securitygroup__in=group_ids)
        .exclude(port__allowed_address_pairs=[])
        .values_list("securitygroup_id", "port__allowed_address_pairs")
    )
)
Known = Mapping[str, Mapping[str, str]]


def path_of(host: str) -> str:
    """Return where a host asks for its document, below the root of all APIs."""
    return f"network/hosts/{host}"


def url_of(host: str, lifetime_seconds: int) -> str:
    """Return the link under which it may ask for so long."""
    return link(path_of(host), Use.FETCH, host, lifetime_seconds)


def document(host: str) -> HostNetworks:
    """Return the whole document of a host, in the same few queries for any number of ports and neighbours."""
    # Read first: what changes meanwhile makes a newer version, and the host is told of it again.
    version = _wanted.first(host=host) or 0
    ports = _ports(host=host)
    networks = {one.id: one for one in _networks(ids=sorted({port.network_id for port in ports}))}
    # What was deleted with its network between the two is gone.
    ports = [port for port in ports if port.network_id in networks]
    for port in ports:
        port.network = networks[port.network_id]
    # A router's ports are no guest's: the router itself guards them.
    guests = [port for port in ports if not port.device_owner.startswith(SERVICE) and not port.is_leaving]
    in_groups = _port_groups(port_ids=[port.id for port in guests])
    guards = _guards(guests, in_groups)
    groups = _groups({group_id: is_stateful for _, group_id, is_stateful in in_groups})
    named = {rule.remote_group_id for group in groups.values() for rule in group.rules} - {""}
    return HostNetworks(
        host=host, version=version, guards=guards, groups=groups, members=_members(named), limits=limits_of(guests),
        networks=segments_of(networks), neighbours=neighbours_of(host, networks), routers=routers(host),
    )  # fmt: skip


def difference(whole: HostNetworks, known: Known) -> HostNetworks:
    """Return what of a document a host does not have, and the keys of what it has and should not.

    `known`: the digests of what it has, by part and key.
    """
    fresh: dict[str, Any] = {}
    gone: dict[str, list[str]] = {}
    for part in PARTS:
        entries, there = getattr(whole, part), known.get(part, {})
        fresh[part] = {key: entry for key, entry in entries.items() if there.get(key) != digest(entry)}
        lost = sorted(set(there) - set(entries))
        if lost:
            gone[part] = lost
    return msgspec.structs.replace(whole, **fresh, gone=gone)


def _guards(ports: Collection[Port], in_groups: Collection[tuple[str, str, bool]]) -> dict[str, GuardSpec]:
    addresses, floating = _addresses_of(ports)
    group_ids: dict[str, list[str]] = defaultdict(list)
    for port_id, group_id, _ in in_groups:
        group_ids[port_id].append(group_id)
    return {
        port.id: GuardSpec(
            mac_address=port.mac_address,
            addresses=list(dict.fromkeys(addresses[port.id])),
            is_secured=port.port_security_enabled,
            is_up=port.admin_state_up and port.network.admin_state_up,
            pairs=[AddressPair(ip_prefix=one["ip_address"], mac_address=one["mac_address"])
                   for one in port.allowed_address_pairs],
            group_ids=group_ids[port.id],
            floating_ips=floating[port.id],
            dhcp_options=told(port.extra_dhcp_opts),
        )
        for port in ports
    }  # fmt: skip


def _addresses_of(ports: Collection[Port]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the addresses of ports, one that two floating addresses lead to twice; and those floating addresses."""
    fixed: dict[str, list[str]] = defaultdict(list)
    floating: dict[str, list[str]] = defaultdict(list)
    for port_id, address, outside in _fixed_ips(port_ids=[port.id for port in ports]):
        fixed[port_id].append(address)
        if outside:
            floating[port_id].append(outside)
    return fixed, floating


def _groups(stateful: Mapping[str, bool]) -> dict[str, GroupSpec]:
    rules: dict[str, list[RuleSpec]] = defaultdict(list)
    for rule in _rules(group_ids=sorted(stateful)):
        rules[rule.group_id].append(_rule(rule))
    return {
        group_id: GroupSpec(is_stateful=is_stateful, rules=rules[group_id])
        for group_id, is_stateful in sorted(stateful.items())
    }


def _rule(rule: SecurityGroupRule) -> RuleSpec:
    number = protocol_number(rule.protocol)
    ip_version = 6 if rule.ethertype == "IPv6" else 4
    return RuleSpec(
        direction=rule.direction,
        ip_version=ip_version,
        protocol=ANY if number is None else _ICMPV6 if (number, ip_version) == (_ICMP, 6) else number,
        port_min=ANY if rule.port_range_min is None else rule.port_range_min,
        port_max=ANY if rule.port_range_max is None else rule.port_range_max,
        remote_prefix=rule.remote_ip_prefix or "",
        remote_group_id=rule.remote_group_id or "",
    )


_ICMP, _ICMPV6 = 1, 58  # `icmp` in a rule for IPv6 means ICMPv6


def _members(group_ids: Collection[str]) -> dict[str, MembersSpec]:
    ids = sorted(group_ids)
    found: dict[str, set[str]] = {group_id: set() for group_id in ids}
    for group_id, address in _member_addresses(group_ids=ids):
        found[group_id].update([address] if address else [])
    for group_id, pairs in _member_pairs(group_ids=ids):
        found[group_id].update(one["ip_address"] for one in pairs)
    return {group_id: MembersSpec(addresses=sorted(addresses)) for group_id, addresses in found.items()}
