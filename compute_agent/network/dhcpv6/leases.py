"""What each port of a network gets by DHCPv6, from the document and the ports: the content of the network's file."""

import ipaddress
from collections.abc import Collection, Iterable

from compute_agent.network.adverts.frames import SLAAC, STATEFUL
from compute_agent.network.forwarding import link_local
from compute_agent.network.ports import PluggedPort
from contracts.networks import AdvertSpec


def leases(adverts: Collection[AdvertSpec], ports: Iterable[PluggedPort]) -> dict[str, dict[str, list[str]]]:
    """Return {link-local address: addresses and name servers}; nothing where no prefix asks for DHCPv6."""
    served = [one for one in adverts if one.mode != SLAAC]
    servers = list(dict.fromkeys(server for one in served for server in one.name_servers))
    blocks = [ipaddress.IPv6Network(one.cidr) for one in served if one.mode == STATEFUL]
    return {
        link_local(port.spec.mac_address): {
            "addresses": [
                one for one in port.addresses(6) if any(ipaddress.ip_address(one) in block for block in blocks)
            ],
            "name_servers": servers,
        }
        for port in ports if served and port.addresses(6)
    }  # fmt: skip
