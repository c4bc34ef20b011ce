"""What makes a security group rule sensible. Pure checks over the API's attributes.

Source: https://docs.openstack.org/api-ref/network/v2/#security-group-rules
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

from cloud.networks.errors import RuleConflict, RuleInvalid

# Names that Neutron knows, with their numbers. Source: IANA, Assigned Internet Protocol Numbers.
PROTOCOLS: Mapping[str, int] = {
    "icmp": 1, "igmp": 2, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6-encap": 41, "ipv6-route": 43,
    "ipv6-frag": 44, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59,
    "ipv6-opts": 60, "ospf": 89, "pgm": 113, "vrrp": 112, "sctp": 132, "udplite": 136,
}
_WITH_PORTS = frozenset({6, 17, 33, 132, 136})
_ICMP = frozenset({1, 58})
_ONLY_IPV6 = frozenset({41, 43, 44, 58, 59, 60})
_ANY = ("any", "0", "-1")
_MAX_PORT = 65535
_MAX_ICMP = 255


def read_protocol(value: str | int | None) -> str | None:
    """Return a protocol as it is kept: lower case; None for any.

    Raises:
        RuleInvalid: neither a name that is known nor a number of one byte.
    """
    text = "" if value is None else str(value).lower()
    if not text or text in _ANY:
        return None
    if text in PROTOCOLS or (text.isascii() and text.isdigit() and int(text) <= 255):
        return text
    names = ", ".join(sorted(PROTOCOLS))
    raise RuleInvalid(
        "SecurityGroupRuleInvalidProtocol",
        f"Security group rule protocol {text} not supported. Only protocol values any, {names} and integer "
        "representations [0 to 255] are supported.",
    )


def check_rule(rule: Mapping[str, Any]) -> None:
    """Refuse a rule that contradicts itself.

    Args:
        rule: `ethertype`, `protocol` (as `read_protocol` returned it), `port_range_min`, `port_range_max`,
            `remote_ip_prefix`, `remote_group_id`; absent values are None.

    Raises:
        RuleInvalid, RuleConflict
    """
    if rule["remote_ip_prefix"] and rule["remote_group_id"]:
        raise RuleInvalid(
            "SecurityGroupRemoteGroupAndRemoteIpPrefix", "Only remote_ip_prefix or remote_group_id may be provided."
        )
    number = protocol_number(rule["protocol"])
    if number in _ONLY_IPV6 and rule["ethertype"] == "IPv4":
        raise RuleInvalid(
            "SecurityGroupEthertypeConflictWithProtocol",
            f"Invalid ethertype IPv4 for protocol {rule['protocol']}.",
        )
    _check_ports(number, rule)
    prefix = rule["remote_ip_prefix"]
    if prefix and f"IPv{ipaddress.ip_network(prefix, strict=False).version}" != rule["ethertype"]:
        raise RuleConflict(ethertype=rule["ethertype"], cidr=prefix)


def protocol_number(protocol: str | None) -> int | None:
    """Return the number of a protocol as it is kept; None for any."""
    if protocol is None:
        return None
    return PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol)


def _check_ports(number: int | None, rule: Mapping[str, Any]) -> None:
    low, high = rule["port_range_min"], rule["port_range_max"]
    if low is None and high is None:
        return
    if number is None:
        raise RuleInvalid(
            "SecurityGroupProtocolRequiredWithPorts", "Must also specify protocol if port range is given."
        )
    if number in _ICMP:
        _check_icmp(low, high)
    elif number in _WITH_PORTS:
        _check_range(low, high)
    else:
        raise RuleInvalid(
            "SecurityGroupInvalidProtocolForPort",
            f"Invalid protocol {rule['protocol']} for port range, only supported for TCP, UDP, UDPLITE, SCTP and DCCP.",
        )


def _check_icmp(kind: int | None, code: int | None) -> None:
    if kind is None:
        raise RuleInvalid(
            "SecurityGroupMissingIcmpType",
            f"ICMP code (port-range-max) {code} is provided but ICMP type (port-range-min) is missing.",
        )
    for field, attribute, value in (("type", "port_range_min", kind), ("code", "port_range_max", code)):
        if value is not None and not 0 <= value <= _MAX_ICMP:
            raise RuleInvalid(
                "SecurityGroupInvalidIcmpValue",
                f"Invalid value for ICMP {field} ({attribute}) {value}. It must be 0 to 255.",
            )


def _check_range(low: int | None, high: int | None) -> None:
    for port in (low, high):
        if port is not None and not 0 <= port <= _MAX_PORT:
            raise RuleInvalid("SecurityGroupInvalidPortValue", f"Invalid value for port {port}")
    if low is None or high is None or low > high:
        raise RuleInvalid(
            "SecurityGroupInvalidPortRange", "For TCP/UDP protocols, port_range_min must be <= port_range_max"
        )
