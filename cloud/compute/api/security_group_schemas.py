"""Schemas of security groups below compute, and what their rules mean to the network service."""

import ipaddress
from typing import Any

from cloud.compute.api.schema_parts import body
from cloud.core.errors import Invalid
from cloud.core.validation import Schema

_NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"\S", "format": "printable"}
_DESCRIPTION: Schema = {"type": "string", "maxLength": 255, "format": "printable"}
GROUP = body("security_group", {"name": _NAME, "description": _DESCRIPTION}, ["name", "description"])
_PORT: Schema = {"type": ["integer", "string", "null"], "pattern": r"^(-1|[0-9]{1,5})?$", "minimum": -1,
                 "maximum": 65535, "format": "printable"}
_ID: Schema = {"type": ["string", "null"], "maxLength": 255, "format": "printable"}
RULE = body(
    "security_group_rule",
    {
        "parent_group_id": {"type": "string", "maxLength": 255, "format": "printable"},
        "group_id": _ID,
        "ip_protocol": {"type": ["string", "null"], "maxLength": 255, "format": "printable"},
        "from_port": _PORT,
        "to_port": _PORT,
        "cidr": {"type": ["string", "null"], "maxLength": 64, "format": "printable"},
    },
    ["parent_group_id"],
)
_PROTOCOLS = ("tcp", "udp", "icmp")
_ANYWHERE = "0.0.0.0/0"
_MAX_PORT = 65535
_MAX_ICMP = 255


def ingress_rule(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a rule of Nova's form as the network service makes it.

    Raises:
        Invalid
    """
    remote_group = asked.get("group_id") or None
    cidr = None if remote_group else _cidr(asked.get("cidr") or _ANYWHERE)
    return {
        "security_group_id": asked["parent_group_id"],
        "direction": "ingress",
        "ethertype": f"IPv{ipaddress.ip_interface(cidr).version}" if cidr else "IPv4",
        "remote_group_id": remote_group,
        "remote_ip_prefix": cidr,
        **_traffic(asked, is_needed=remote_group is None),
    }


def _cidr(text: str) -> str:
    try:
        return str(ipaddress.ip_interface(text))
    except ValueError:
        raise Invalid(f"Invalid cidr {text}.") from None


def _traffic(asked: dict[str, Any], *, is_needed: bool) -> dict[str, Any]:
    protocol = (asked.get("ip_protocol") or "").lower()
    if not protocol and not is_needed:
        return {}
    low, high = _port(asked.get("from_port")), _port(asked.get("to_port"))
    if not protocol or low is None or high is None:
        raise Invalid("Not enough parameters to build a valid rule.")
    if protocol not in _PROTOCOLS:
        raise Invalid(f"Invalid IP protocol {protocol}.")
    _check_ports(protocol, low, high)
    limits = {"port_range_min": low, "port_range_max": high}
    return {"protocol": protocol, **{name: None if port == -1 else port for name, port in limits.items()}}


def _port(value: int | str | None) -> int | None:
    return None if value in (None, "") else int(value)


def _check_ports(protocol: str, low: int, high: int) -> None:
    if protocol == "icmp":
        is_valid = max(low, high) <= _MAX_ICMP
        reason = "Values for ICMP type and code must be between -1 and 255"
    else:
        is_valid = (low, high) == (-1, -1) or 1 <= low <= high <= _MAX_PORT
        reason = "Ports are from 1 to 65535, and the first is not greater than the last"
    if not is_valid:
        raise Invalid(f"Invalid port range {low}:{high}. {reason}")
