"""What a host's networks shall be: one document, fetched whole or as the difference from what the host has.

Ports are made by the orders of their servers (contracts.compute); this says what may pass them, and what carries their
networks to other hosts. A port of which the document says nothing yet is closed, except for what it needs to start: its
address and its metadata.
"""

import hashlib
from typing import ClassVar

import msgspec

from contracts.envelope import Message, Order, Outcome

ANY = -1


class RuleSpec(Message, frozen=True, kw_only=True):
    """A rule of a security group: what it names may pass.

    Attributes:
        direction: `ingress` to the guest or `egress` from it.
        ip_version: 4 or 6.
        protocol: its number, or ANY.
        port_min, port_max: of the destination for TCP, UDP, SCTP, DCCP and UDP-Lite; type and code for ICMP; or ANY.
        remote_prefix: the other side's network; empty for any.
        remote_group_id: the other side is a member of this group; empty for any. Never both.
    """

    direction: str
    ip_version: int
    protocol: int = ANY
    port_min: int = ANY
    port_max: int = ANY
    remote_prefix: str = ""
    remote_group_id: str = ""


class GroupSpec(Message, frozen=True, kw_only=True):
    """A security group that a port of the host has. `is_stateful`: answers to what was let pass may pass too."""

    is_stateful: bool = True
    rules: list[RuleSpec] = []


class MembersSpec(Message, frozen=True, kw_only=True):
    """Who is in a group that a rule on this host names: addresses and prefixes of its ports on all hosts, sorted."""

    addresses: list[str] = []


class AddressPair(Message, frozen=True, kw_only=True):
    """Another address, or a network of them, that a port may send from. `mac_address` may be the port's own."""

    ip_prefix: str
    mac_address: str


class GuardSpec(Message, frozen=True, kw_only=True):
    """What may pass a port.

    Attributes:
        is_secured: port security; without it anything may pass, in any name.
        is_up: the administrator's switch; what is down carries nothing.
        pairs: what it may send from beside its own addresses.
        group_ids: its security groups, sorted; what any of them lets pass may pass.
        floating_ips: what leads to its addresses from outside, in their order; its guest is told.
        dhcp_options: what its guest is told by DHCP beside its addresses, by the option's name.
    """

    mac_address: str
    addresses: list[str] = []
    is_secured: bool = True
    is_up: bool = True
    pairs: list[AddressPair] = []
    group_ids: list[str] = []
    floating_ips: list[str] = []
    dhcp_options: dict[str, str] = {}


class AdvertSpec(Message, frozen=True, kw_only=True):
    """An IPv6 prefix of a network, and what its guests are told of it.

    Attributes:
        cidr: the prefix.
        mode: how a guest gets its address: `slaac`, `dhcpv6-stateless` or `dhcpv6-stateful`.
        router_mac: of the router's port that holds the subnet's gateway; empty where none does: then nobody leads out.
        name_servers: IPv6 addresses.
    """

    cidr: str
    mode: str
    router_mac: str = ""
    name_servers: list[str] = []


class RouteSpec(Message, frozen=True, kw_only=True):
    """A route: of a subnet, handed out by DHCP, or a router's own."""

    destination: str
    nexthop: str


class SubnetSpec(Message, frozen=True, kw_only=True):
    """A subnet as a host needs it for DHCP and routing. `gateway_ip` and `ipv6_address_mode` may be empty."""

    id: str
    cidr: str
    ip_version: int = 4
    gateway_ip: str = ""
    dhcp_enabled: bool = True
    dns_nameservers: list[str] = []
    host_routes: list[RouteSpec] = []
    ipv6_address_mode: str = ""


class SegmentSpec(Message, frozen=True, kw_only=True):
    """What carries a network that has a port on this host to the other hosts.

    Attributes:
        network_type: `vxlan`, `vlan` or `flat`; any other is carried nowhere.
        mtu: of the network, in bytes.
        segmentation_id: the network's number in a VXLAN or VLAN.
        physical_network: the wire of a `vlan` or `flat` network, by the name that hosts report.
        routed: the gateways' addresses that routers hold; the others are answered by each host itself.
        adverts: the IPv6 prefixes that guests are told of.
        leased: the IPv6 prefixes that somebody else advertises, and of which DHCPv6 is ours.
        subnets: of the network, as they are now; they count before those that orders described when ports were plugged.
    """

    network_type: str
    mtu: int
    segmentation_id: int = 0
    physical_network: str = ""
    routed: list[str] = []
    adverts: list[AdvertSpec] = []
    leased: list[AdvertSpec] = []
    subnets: list[SubnetSpec] = []


class Neighbour(Message, frozen=True, kw_only=True):
    """A port of a VXLAN network on another host, which is reached at `tunnel_ip`. `is_router`: it is a router's leg."""

    mac_address: str
    addresses: list[str]
    tunnel_ip: str
    is_router: bool = False


class NeighboursSpec(Message, frozen=True, kw_only=True):
    """Whom the ports of a VXLAN network here can reach on other hosts, by their MAC addresses; never nobody."""

    ports: list[Neighbour] = []


class RouterPort(Message, frozen=True, kw_only=True):
    """A router's leg in a network. `addresses` with the prefix lengths of their subnets: `10.0.0.1/24`."""

    port_id: str
    network_id: str
    mac_address: str
    addresses: list[str] = []


class FloatingSpec(Message, frozen=True, kw_only=True):
    """An address of the external network, and the one inside that it stands for, both ways."""

    floating_address: str
    fixed_address: str


class RouterSpec(Message, frozen=True, kw_only=True):
    """A router that lives on this host.

    Attributes:
        is_up: the administrator's switch; a router that is down carries nothing.
        interfaces: its legs in networks of its project, by port id.
        gateway: its leg in the external network.
        gateway_ips: the next hops there, at most one of each IP version.
        has_snat: what has no floating address leaves under the gateway's own.
    """

    is_up: bool = True
    interfaces: list[RouterPort] = []
    gateway: RouterPort | None = None
    gateway_ips: list[str] = []
    has_snat: bool = True
    floating_ips: list[FloatingSpec] = []
    routes: list[RouteSpec] = []


class LimitSpec(Message, frozen=True, kw_only=True):
    """How much may pass a port, into the guest (`ingress`) and out of it (`egress`).

    Attributes:
        ingress_kbps, egress_kbps: kilobits a second; 0 for no limit.
        ingress_burst_kb, egress_burst_kb: kilobits that may pass at once; 0 leaves it to the host.
    """

    ingress_kbps: int = 0
    ingress_burst_kb: int = 0
    egress_kbps: int = 0
    egress_burst_kb: int = 0


class HostNetworks(Message, frozen=True, kw_only=True):
    """The document, or the difference: entries that are new or changed, and the keys of those that are gone.

    Attributes:
        host, version: whose, and of when: a host never goes back to an older one.
        guards, limits: by port id; a port without limits has no entry. groups, members: by group id. networks,
            neighbours: by network id. routers: by router id.
        gone: the keys of entries to forget, by the name of the part.
    """

    host: str
    version: int
    guards: dict[str, GuardSpec] = {}
    groups: dict[str, GroupSpec] = {}
    members: dict[str, MembersSpec] = {}
    networks: dict[str, SegmentSpec] = {}
    neighbours: dict[str, NeighboursSpec] = {}
    routers: dict[str, RouterSpec] = {}
    limits: dict[str, LimitSpec] = {}
    gone: dict[str, list[str]] = {}


# The parts of the document, by name. What a host has is told as {part: {key: digest of the entry}}.
PARTS = ("guards", "groups", "members", "networks", "neighbours", "routers", "limits")


def digest(entry: Message) -> str:
    """Return what stands for an entry of the document when a host tells what it has."""
    return hashlib.sha256(msgspec.json.encode(entry, order="deterministic")).hexdigest()[:16]


class NetworksApplied(Outcome, frozen=True, kw_only=True):
    """The host's networks are as this version of the document says."""

    version: int = 0


class SyncNetworks(Order, frozen=True, kw_only=True):
    """Fetch the document (POST of what the host has, as JSON) and let the kernel be as it says. Belongs to no instance.

    `url`: signed, short-lived and bound to the host. `version`: at least this one is wanted; a host that has applied
    it already has nothing to do.
    """

    NAME: ClassVar[str] = "compute.v1.sync_networks"
    OUTCOME: ClassVar[type[Outcome]] = NetworksApplied
    url: str
    version: int
