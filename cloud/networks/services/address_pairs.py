"""Allowed address pairs: further addresses that a port may send from."""

import ipaddress

from cloud.networks.errors import DuplicateAddressPairInRequest


def pairs(asked: list[dict[str, str]], mac: str) -> list[dict[str, str]]:
    """Return address pairs as they are kept: addresses in their canonical form, the port's MAC where none is given.

    Raises:
        DuplicateAddressPairInRequest
    """
    found: list[dict[str, str]] = []
    for pair in asked:
        text = pair["ip_address"]
        address = ipaddress.ip_network(text, strict=False) if "/" in text else ipaddress.ip_address(text)
        kept = {"mac_address": pair.get("mac_address", mac).lower(), "ip_address": str(address)}
        if kept in found:
            raise DuplicateAddressPairInRequest(mac=kept["mac_address"], ip_address=kept["ip_address"])
        found.append(kept)
    return found
