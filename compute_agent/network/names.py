"""What our things in the kernel are called, and how we know them for ours.

Names of links have at most 15 characters and are the same on every host. Two installations on one machine must not
take each other's things for their own, so a short mark made from the state folder is in every alias and in the
names of namespaces and firewall tables.
"""

import hashlib
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_DIGITS = 11
_ALIAS_WORD = "novella"
_MACHINE_ID = Path("/etc/machine-id")


# The ends of a network's two cables that are in its namespace: to the bridge, and to the host.
LEG, UPLINK = "leg", "uplink"
# Of the state folder: what floating addresses lead to ports of this host.
FLOATING_FILE = "floating.json"
# How the names of links begin that carry networks to other hosts.
CARRIERS = ("nvx", "nvl")


def _digits(id: str) -> str:
    return id.replace("-", "")[:_DIGITS]


def tap_name(port_id: str) -> str:
    """Return the name of a port's tap."""
    return "ntap" + _digits(port_id)


def limiter_name(port_id: str) -> str:
    """Return the name of the link that slows down what leaves a port's guest."""
    return "nifb" + _digits(port_id)


def bridge_name(network_id: str) -> str:
    """Return the name of a network's bridge."""
    return "nbr" + _digits(network_id)


def leg_name(network_id: str) -> str:
    """Return the name of the bridge's end of the cable to the network's namespace."""
    return "nleg" + _digits(network_id)


def uplink_name(network_id: str) -> str:
    """Return the name of the host's end of the cable to the network's namespace."""
    return "nup" + _digits(network_id)


def interface_cable_name(port_id: str) -> str:
    """Return the name of the bridge's end of the cable to a router's interface."""
    return "nrt" + _digits(port_id)


def gateway_cable_name(port_id: str) -> str:
    """Return the name of the bridge's end of the cable to a router's gateway."""
    return "ngw" + _digits(port_id)


@cache
def _machine() -> str:
    return (_MACHINE_ID.read_text().strip() if _MACHINE_ID.exists() else "") or socket.gethostname()


def tunnel_name(network_id: str) -> str:
    """Return the name of the link that carries a VXLAN network."""
    return CARRIERS[0] + _digits(network_id)


def vlan_name(network_id: str) -> str:
    """Return the name of the link that carries a VLAN network."""
    return CARRIERS[1] + _digits(network_id)


@dataclass(frozen=True)
class Mark:
    """The mark of one installation."""

    digest: str

    @classmethod
    def of(cls, state_dir: Path) -> "Mark":
        """Return the mark of the installation with this state folder."""
        return cls(hashlib.sha256(str(state_dir.absolute()).encode()).hexdigest()[:8])

    @property
    def alias_prefix(self) -> str:
        """How the alias of each link of ours begins."""
        return f"{_ALIAS_WORD}:{self.digest}:"

    @property
    def namespace_prefix(self) -> str:
        """How the name of each namespace of ours begins."""
        return f"nnet-{self.digest}-"

    @property
    def table(self) -> str:
        """The name of our firewall tables."""
        return f"{_ALIAS_WORD}_{self.digest}"

    @property
    def sightings_table(self) -> str:
        """The name of the firewall table that knows under which MAC addresses guests were seen."""
        return f"{self.table}_seen"

    def namespace(self, network_id: str) -> str:
        """Return the name of a network's namespace."""
        return self.namespace_prefix + network_id[:13]

    def leg_mac(self, network_id: str) -> str:
        """Return the MAC address of a network's namespace: another one on every host, for they may share a wire."""
        seed = f"{_machine()}:{self.digest}:{network_id}"
        return "02:" + hashlib.sha256(seed.encode()).digest()[:5].hex(":")

    @property
    def router_namespace_prefix(self) -> str:
        """How the name of each router's namespace begins."""
        return f"nrtr-{self.digest}-"

    def router_namespace(self, router_id: str) -> str:
        """Return the name of a router's namespace."""
        return self.router_namespace_prefix + router_id[:13]

    @property
    def router_alias_prefix(self) -> str:
        """How the alias of each cable to a router begins."""
        return f"{self.alias_prefix}router:"

    def router_alias(self, router_id: str, network_id: str) -> str:
        """Return the alias of a cable between a router and a network."""
        return f"{self.router_alias_prefix}{router_id}:{network_id}"

    def network_of_cable(self, alias: str) -> str:
        """Return the id of the network in an alias that `router_alias` made."""
        return alias.rpartition(":")[2]

    def network_alias(self, network_id: str) -> str:
        """Return the alias of a bridge or cable of a network."""
        return f"{self.alias_prefix}net:{network_id}"

    def port_alias(self, port_id: str, instance_uuid: str) -> str:
        """Return the alias of a port's tap: it tells whose the tap is, to us and to who reads `ip link`."""
        return f"{self.alias_prefix}port:{port_id}:{instance_uuid}"

    def limit_alias(self, port_id: str) -> str:
        """Return the alias of the link that slows down what leaves a port's guest."""
        return f"{self.alias_prefix}limit:{port_id}"

    def read_port_alias(self, alias: str) -> tuple[str, str] | None:
        """Return (port id, instance uuid) of an alias that `port_alias` made, else None."""
        prefix = f"{self.alias_prefix}port:"
        if not alias.startswith(prefix):
            return None
        port_id, _, instance_uuid = alias.removeprefix(prefix).partition(":")
        return port_id, instance_uuid
