"""Taps, firewall, limits, DHCP and metadata of a server's ports: what they should be, and what its host has."""

import ipaddress
from collections.abc import Iterator, Sequence

from cloud.compute.models import Instance
from cloud.conductor.doctor.checks import Check, Verdict, judged, mend
from cloud.networks.services.addresses import eui64
from contracts.compute import PortSpec
from contracts.inspection import PortSeen

_SMALLEST_IPV6_MTU = 1_280
_LINK = "fe80::/64"


def ports(instance: Instance, wanted: Sequence[PortSpec], seen: Sequence[PortSeen], *, runs: bool) -> Iterator[Check]:
    """Every port is plugged as it should be, and there is no other.

    Args:
        instance: the server.
        wanted: its ports.
        seen: what its host has of them.
        runs: whether the guest does; it then holds its taps open.
    """
    there = {one.id: one for one in seen}
    for port in wanted:
        yield from _port(instance, port, there.get(port.id, PortSeen(id=port.id)), runs=runs)
    known = {port.id for port in wanted}
    for one in seen:
        if one.id not in known:
            yield Check(f"tap {one.id[:8]}", "none", "there", Verdict.WRONG, mend(instance.uuid, "unplug"))


def _port(instance: Instance, port: PortSpec, seen: PortSeen, *, runs: bool) -> Iterator[Check]:
    short, plug = port.id[:8], mend(instance.uuid, "plug")
    expected = "up, held by the guest" if runs else "up"
    # A guest that lost its tap does not come back to a new one: it must start anew.
    yield judged(f"tap {short}", expected, _tap(seen, runs=runs), mend(instance.uuid, "restart") if runs else plug)
    yield judged(f"firewall {short}", "as the port", "as the port" if seen.is_filtered else "other rules, or none",
                 plug)
    yield judged(f"carrier {short}", "as the network", "as the network" if seen.is_carried else "other, or none", plug)
    yield judged(f"limits {short}", "as the policy", "as the policy" if seen.is_limited else "others, or none", plug)
    if any(subnet.dhcp_enabled and subnet.ip_version == 4 for subnet in port.network.subnets):
        yield judged(f"dhcp {short}", "runs", "runs" if seen.is_served else "down", plug)
        yield judged(f"lease {short}", _texts(_leased(port)), _texts(seen.leased), plug)
    if seen.leased_ipv6 is None:  # an agent of the release before: it knows nobody by an IPv6 address
        yield judged(f"metadata {short}", _texts(_ipv4(_answered(port))), _texts(_ipv4(seen.answered)), plug)
        return
    stateful = _stateful(port)
    if stateful:
        given = [one for one in seen.leased_ipv6 if any(ipaddress.ip_address(one) in block for block in stateful)]
        yield judged(f"dhcpv6 {short}", _texts(_leased_ipv6(port)), _texts(given), plug)
    yield judged(f"metadata {short}", _texts(_answered(port)), _texts(seen.answered), plug)


def _tap(seen: PortSeen, *, runs: bool) -> str:
    if not seen.has_tap:
        return "none"
    if not runs:
        return "up"
    return "up, held by the guest" if seen.is_held else "up, but the guest has lost it"


def _leased(port: PortSpec) -> list[str]:
    """Return the first address of each subnet that DHCP hands out."""
    served = {one.id for one in port.network.subnets if one.dhcp_enabled and one.ip_version == 4}
    first: dict[str, str] = {}
    for fixed in port.fixed_ips:
        if fixed.subnet_id in served:
            first.setdefault(fixed.subnet_id, fixed.ip_address)
    return list(first.values())


def _stateful(port: PortSpec) -> list[ipaddress.IPv6Network]:
    """Return the prefixes of which guests get their addresses by DHCPv6; a network too narrow for IPv6 has none."""
    if port.network.mtu < _SMALLEST_IPV6_MTU:
        return []
    wanted = [one for one in port.network.subnets if one.dhcp_enabled and one.ipv6_address_mode == "dhcpv6-stateful"]
    return [ipaddress.IPv6Network(one.cidr) for one in wanted]


def _leased_ipv6(port: PortSpec) -> list[str]:
    blocks = _stateful(port)
    return [one.ip_address for one in port.fixed_ips if any(ipaddress.ip_address(one.ip_address) in b for b in blocks)]


def _answered(port: PortSpec) -> list[str]:
    """Return the addresses from which a guest asks for metadata: its own, and that of its link where it has IPv6."""
    own = [one.ip_address for one in port.fixed_ips]
    return [*own, *([eui64(_LINK, port.mac_address)] if any(":" in one for one in own) else ())]


def _ipv4(addresses: Sequence[str]) -> list[str]:
    return [one for one in addresses if ipaddress.ip_address(one).version == 4]


def _texts(addresses: Sequence[str]) -> str:
    return ", ".join(sorted(addresses)) or "none"
