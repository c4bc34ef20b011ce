"""Whether a new connection may pass a port, judged from the document alone: what the rules in the kernel say too."""

import ipaddress
from dataclasses import dataclass

from contracts.networks import ANY, GuardSpec, HostNetworks, RuleSpec

INGRESS, EGRESS = "ingress", "egress"
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
WITH_PORTS = {TCP: "tcp", UDP: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}
WITH_TYPES = {ICMP: "icmp", ICMPV6: "icmpv6"}
METADATA_ADDRESSES = {4: "169.254.169.254", 6: "fe80::a9fe:a9fe"}
METADATA_PORT = 80
# DHCP by IP version: the ports of the client and of the server.
DHCP_PORTS = {4: (68, 67), 6: (546, 547)}
# What neighbours must say to each other: discovery, and who listens to which group.
NEIGHBOUR_TYPES = (130, 131, 132, 133, 135, 136, 143)


@dataclass(frozen=True)
class Opening:
    """How a connection begins.

    Attributes:
        direction: `ingress` to the guest or `egress` from it.
        protocol: its number.
        port: of the destination; of ICMP the type; or ANY.
        remote: the other side's address.
        code: of ICMP.
    """

    direction: str
    protocol: int
    port: int
    remote: str
    code: int = ANY


def is_allowed(document: HostNetworks, guard: GuardSpec | None, opening: Opening) -> bool:
    """Whether a port with this guard lets the connection pass. Without a guard it is closed."""
    if guard is not None and not guard.is_up:
        return False
    if guard is not None and not guard.is_secured:
        return True
    if is_always_allowed(opening):
        return True
    groups = [document.groups[id] for id in (guard.group_ids if guard else ()) if id in document.groups]
    return any(_lets_pass(document, rule, opening) for group in groups for rule in group.rules)


def is_always_allowed(opening: Opening) -> bool:
    """Whether every port that is up may do so: a guest asks for its address, its neighbours and its metadata."""
    version = ipaddress.ip_address(opening.remote).version
    if opening.protocol == ICMPV6:
        return opening.port in NEIGHBOUR_TYPES
    if opening.direction != EGRESS:
        return False
    is_dhcp = (opening.protocol, opening.port) == (UDP, DHCP_PORTS[version][1])
    is_metadata = (opening.protocol, opening.port) == (TCP, METADATA_PORT)
    return is_dhcp or (is_metadata and opening.remote == METADATA_ADDRESSES[version])


def _lets_pass(document: HostNetworks, rule: RuleSpec, opening: Opening) -> bool:
    remote = ipaddress.ip_address(opening.remote)
    return (
        (rule.direction, rule.ip_version) == (opening.direction, remote.version)
        and rule.protocol in (ANY, opening.protocol)
        and _names_port(rule, opening)
        and _names_remote(document, rule, remote)
    )


def _names_port(rule: RuleSpec, opening: Opening) -> bool:
    if rule.protocol in WITH_TYPES:
        return rule.port_min in (ANY, opening.port) and rule.port_max in (ANY, opening.code)
    if rule.protocol not in WITH_PORTS:
        return True
    return port_range(rule)[0] <= opening.port <= port_range(rule)[1] or port_range(rule) == (0, 65_535)


def port_range(rule: RuleSpec) -> tuple[int, int]:
    """Return the ports that a rule names; all of them where it names none."""
    first = 0 if rule.port_min == ANY else rule.port_min
    return first, 65_535 if rule.port_max == ANY else rule.port_max


def _names_remote(
    document: HostNetworks, rule: RuleSpec, remote: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> bool:
    if rule.remote_prefix:
        return remote in ipaddress.ip_network(rule.remote_prefix, strict=False)
    if not rule.remote_group_id:
        return True
    members = document.members.get(rule.remote_group_id)
    names = members.addresses if members else []
    return str(remote) in names or any(remote in ipaddress.ip_network(one, strict=False) for one in names if "/" in one)
