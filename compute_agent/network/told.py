"""What guests are told by DHCP, checked: nothing becomes a line of a server's files that is not what it says to be."""

import ipaddress
import re
from collections.abc import Iterable, Mapping

from contracts.networks import SubnetSpec

# A port's options by the names that tenants know, as dnsmasq calls them: `dnsmasq --help dhcp`; IANA has the numbers.
OPTIONS: Mapping[str, str] = {
    "bootfile-name": "option:bootfile-name", "domain-name": "option:domain-name",
    "domain-search": "option:domain-search", "mtu": "option:mtu", "ntp-server": "option:ntp-server",
    "path-prefix": "210", "root-path": "option:root-path", "server-ip-address": "option:server-ip-address",
    "tftp-server": "option:tftp-server", "tftp-server-address": "150", "tftp-server-name": "option:tftp-server",
}  # fmt: skip
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VALUE = re.compile(r"[A-Za-z0-9._:/@-]{1,255}")


def check_subnet(subnet: SubnetSpec) -> None:
    """Raise ValueError for a subnet of which a part has another form than it should."""
    if not _ID.fullmatch(subnet.id):
        raise ValueError(f"{subnet.id!r} is not a uuid in canonical form")
    ipaddress.ip_network(subnet.cidr)
    check_addresses([subnet.gateway_ip] if subnet.gateway_ip else [])
    check_addresses(subnet.dns_nameservers)
    for route in subnet.host_routes:
        ipaddress.ip_network(route.destination)
        check_addresses([route.nexthop])


def check_addresses(texts: Iterable[str]) -> None:
    """Raise ValueError for what is no address."""
    for text in texts:
        ipaddress.ip_address(text)


def check_options(options: Mapping[str, str]) -> None:
    """Raise ValueError for a value that could be more than one. Names that are not known here are not told."""
    for name, value in options.items():
        if not _VALUE.fullmatch(value):
            raise ValueError(f"{value!r} is no value for the DHCP option {name!r}")
