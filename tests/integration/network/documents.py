"""What hosts are told may pass their ports, as tests tell it."""

import itertools

from compute_agent.network.base import NetworkDriver
from contracts.compute import PortSpec
from contracts.inspection import PortAsked, PortSeen
from contracts.networks import AddressPair, GroupSpec, GuardSpec, HostNetworks, MembersSpec, RuleSpec
from tests.fixtures.ids import new_id

ICMP, TCP, UDP = 1, 6, 17
OUT = [RuleSpec(direction="egress", ip_version=4), RuleSpec(direction="egress", ip_version=6)]
OPEN = [*OUT, RuleSpec(direction="ingress", ip_version=4), RuleSpec(direction="ingress", ip_version=6)]


def lets_in(protocol: int, port: int = -1, **values: object) -> RuleSpec:
    """A rule for one port, or for all."""
    return RuleSpec(direction="ingress", ip_version=4, protocol=protocol, port_min=port, port_max=port, **values)


def guard(spec: PortSpec, *group_ids: str, **values: object) -> GuardSpec:
    addresses = [fixed.ip_address for fixed in spec.fixed_ips]
    return GuardSpec(**{
        "mac_address": spec.mac_address, "addresses": addresses, "group_ids": sorted(group_ids),
        "dhcp_options": spec.dhcp_options, **values,
    })  # fmt: skip


def looked_at(driver: NetworkDriver, spec: PortSpec) -> PortSeen:
    """What the doctor is told of a port."""
    addresses = [fixed.ip_address for fixed in spec.fixed_ips]
    asked = PortAsked(id=spec.id, mac_address=spec.mac_address, network_id=spec.network.id, addresses=addresses)
    return driver.inspect_ports(new_id(), [asked])[0]


class ControlPlane:
    """Tells a driver what changed, each time in a newer version."""

    def __init__(self, driver: NetworkDriver) -> None:
        self.driver = driver
        self._versions = itertools.count(1)

    def tell(self, **parts: object) -> None:
        self.driver.apply(HostNetworks(host="h", version=next(self._versions), **parts))

    def group(self, *rules: RuleSpec, is_stateful: bool = True, id: str = "") -> str:
        """Make a group, or change one."""
        id = id or new_id()
        self.tell(groups={id: GroupSpec(rules=list(rules), is_stateful=is_stateful)})
        return id

    def put(self, spec: PortSpec, *group_ids: str, **values: object) -> None:
        self.tell(guards={spec.id: guard(spec, *group_ids, **values)})

    def members(self, group_id: str, *addresses: str) -> None:
        self.tell(members={group_id: MembersSpec(addresses=sorted(addresses))})


def pair(prefix: str, mac_address: str) -> AddressPair:
    return AddressPair(ip_prefix=prefix, mac_address=mac_address)
