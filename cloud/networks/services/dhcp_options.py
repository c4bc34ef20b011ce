"""Extra DHCP options of a port: what its guest is told besides its addresses.

An option ends up in the configuration of a DHCP server, so its name comes from a list and its value has the form that
the name calls for: nothing else gets in.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cloud.networks.errors import BadRequest

Option = dict[str, Any]
_PATH = re.compile(r"[A-Za-z0-9._:/@-]{1,127}")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?){1,20}")
_MTUS = range(68, 65536)


def _is_address(value: str, version: int) -> bool:
    try:
        # A client that names no version means 4 as its own default, and may still give an address of 6.
        return ipaddress.ip_address(value).version == version or version == 4
    except ValueError:
        return False


def _is_path(value: str, version: int) -> bool:
    return _PATH.fullmatch(value) is not None


def _is_domain(value: str, version: int) -> bool:
    return len(value) <= 253 and _DOMAIN.fullmatch(value) is not None


def _is_mtu(value: str, version: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 5 and int(value) in _MTUS


_ADDRESSES = ("ntp-server", "server-ip-address", "tftp-server", "tftp-server-address")
ALLOWED: Mapping[str, Callable[[str, int], bool]] = {
    **dict.fromkeys(("bootfile-name", "path-prefix", "root-path", "tftp-server-name"), _is_path),
    **dict.fromkeys(_ADDRESSES, _is_address),
    **dict.fromkeys(("domain-name", "domain-search"), _is_domain),
    "mtu": _is_mtu,
}


def merged(held: Sequence[Option], asked: Sequence[Option]) -> list[Option]:
    """Return a port's options after a request: what it names is set, or removed where its value is None.

    Raises:
        BadRequest: an option that is not on the list, has a value of another form, or is named twice.
    """
    options = {(one["opt_name"], one["ip_version"]): one for one in held}
    named = set()
    for one in asked:
        name, version = one["opt_name"], int(one.get("ip_version", 4))
        if (name, version) in named:
            raise BadRequest(f"Invalid input for extra_dhcp_opts. Reason: '{name}' is given twice.")
        named.add((name, version))
        if one["opt_value"] is None:
            options.pop((name, version), None)
        else:
            _check(name, one["opt_value"], version)
            options[name, version] = {"opt_name": name, "opt_value": one["opt_value"], "ip_version": version}
    return list(options.values())


def told(options: Sequence[Option]) -> dict[str, str]:
    """Return what a guest is told by DHCP, by name: of IPv4 alone, and never an address of IPv6."""
    of_ipv4 = {one["opt_name"]: one["opt_value"] for one in options if one["ip_version"] == 4}
    return {name: value for name, value in of_ipv4.items() if name not in _ADDRESSES or ":" not in value}


def _check(name: str, value: str, version: int) -> None:
    if name not in ALLOWED:
        names = ", ".join(sorted(ALLOWED))
        raise BadRequest(f"Invalid input for extra_dhcp_opts. Reason: '{name}' is none of {names}.")
    if not ALLOWED[name](value, version):
        raise BadRequest(f"Invalid input for extra_dhcp_opts. Reason: '{value[:80]}' is no value for '{name}'.")
