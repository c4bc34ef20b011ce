"""What a network driver promises of the document, whatever the driver: a test class gives it a `ground` to stand on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from compute_agent.errors import VifPlugFailed
from compute_agent.network.base import NetworkDriver
from contracts.compute import PortSpec
from contracts.inspection import PortAsked
from contracts.networks import (
    PARTS,
    AddressPair,
    AdvertSpec,
    FloatingSpec,
    GroupSpec,
    GuardSpec,
    HostNetworks,
    LimitSpec,
    MembersSpec,
    Neighbour,
    NeighboursSpec,
    RouterPort,
    RouterSpec,
    RouteSpec,
    RuleSpec,
    SegmentSpec,
    SubnetSpec,
    digest,
)
from tests.fixtures.patience import eventually
from tests.integration.network.documents import OUT, TCP, ControlPlane, guard, lets_in
from tests.unit.compute_agent.orders import new_id


def neighbour(**changes: Any) -> Neighbour:
    """Return a port on another host."""
    usual: dict[str, Any] = {
        "mac_address": "fa:16:3e:00:aa:01", "addresses": ["10.0.0.99"], "tunnel_ip": "192.0.2.7"
    }  # fmt: skip
    return Neighbour(**{**usual, **changes})


def advertised(**changes: Any) -> SegmentSpec:
    """Return a network with an IPv6 prefix."""
    advert = AdvertSpec(**{"cidr": "fd00::/64", "mode": "slaac", **changes})
    return SegmentSpec(network_type="local", mtu=1450, adverts=[advert])


def described(**changes: Any) -> SegmentSpec:
    """Return a network with a subnet."""
    subnet = SubnetSpec(**{"id": new_id(), "cidr": "10.0.0.0/24", **changes})
    return SegmentSpec(network_type="local", mtu=1450, subnets=[subnet])


BAD_ADVERT = AdvertSpec(cidr="10.0.0.0/24", mode="dhcpv6-stateful")


def leg(**changes: Any) -> RouterPort:
    """Return a leg of a router."""
    usual = {"port_id": new_id(), "network_id": new_id(), "mac_address": "fa:16:3e:00:bb:01"}
    return RouterPort(**{**usual, "addresses": ["10.0.0.1/24"], **changes})


@dataclass(frozen=True)
class Ground:
    """A plugged port of which no document has been heard yet.

    Attributes:
        driver, reopen: the driver, and another one over the same host.
        instance: the server that it belongs to.
        spec: the port. neighbour: the address of another one, whose rules let everything out.
        lets_in: whether the neighbour can connect to a TCP port; there is a way to it.
    """

    driver: NetworkDriver
    reopen: Callable[[], NetworkDriver]
    instance: str
    spec: PortSpec
    neighbour: str
    lets_in: Callable[[int], bool]

    def comes_to_let_in(self, number: int) -> bool:
        """Whether the neighbour can connect, on a machine that may be busy."""
        return eventually(lambda: self.lets_in(number))


class GuardsSuite:
    """What `apply`, `known` and `applied_version` promise."""

    def test_nothing_is_known_at_first_and_the_port_is_closed(self, ground: Ground) -> None:
        assert ground.driver.applied_version() == 0
        assert ground.driver.known() == {part: {} for part in PARTS}
        assert not ground.lets_in(22)

    def test_document_is_known_by_digests_and_outlives_the_driver(self, ground: Ground) -> None:
        ssh, entry = new_id(), guard(ground.spec)
        group, members = GroupSpec(rules=[lets_in(TCP, 22)]), MembersSpec(addresses=[ground.neighbour])
        ground.driver.apply(
            HostNetworks(
                host="h", version=7, guards={ground.spec.id: entry}, groups={ssh: group}, members={ssh: members}
            )
        )
        for driver in (ground.driver, ground.reopen()):
            assert driver.applied_version() == 7
            assert driver.known() == {part: {} for part in PARTS} | {
                "guards": {ground.spec.id: digest(entry)}, "groups": {ssh: digest(group)},
                "members": {ssh: digest(members)},
            }  # fmt: skip

    def test_difference_is_merged_and_what_is_gone_is_forgotten(self, ground: Ground) -> None:
        control = ControlPlane(ground.driver)
        ssh, web = control.group(lets_in(TCP, 22)), control.group(lets_in(TCP, 80))
        control.put(ground.spec, ssh, web)
        assert ground.comes_to_let_in(22)
        assert ground.comes_to_let_in(80)
        assert not ground.lets_in(81)
        control.tell(gone={"groups": [ssh]}, guards={ground.spec.id: guard(ground.spec, web)})
        assert not ground.lets_in(22)
        assert ground.comes_to_let_in(80)
        assert ground.driver.known()["groups"].keys() == {web}
        control.tell(gone={"guards": [ground.spec.id]})
        assert not ground.lets_in(80)

    def test_member_of_a_remote_group_is_let_in(self, ground: Ground) -> None:
        control, peers = ControlPlane(ground.driver), new_id()
        control.put(ground.spec, control.group(lets_in(TCP, 22, remote_group_id=peers)))
        assert not ground.lets_in(22)
        control.members(peers, ground.neighbour)
        assert ground.comes_to_let_in(22)

    def test_what_is_down_carries_nothing_and_what_is_not_secured_anything(self, ground: Ground) -> None:
        control = ControlPlane(ground.driver)
        control.put(ground.spec, is_secured=False)
        assert ground.comes_to_let_in(9)
        control.put(ground.spec, control.group(*OUT, lets_in(TCP)), is_up=False)
        assert not ground.lets_in(9)

    def test_port_that_is_given_another_address_is_leased_that_and_known_by_it(self, ground: Ground) -> None:
        (given,) = ground.spec.fixed_ips
        other = ["10.99.0.77"]
        asked = PortAsked(id=ground.spec.id, mac_address=ground.spec.mac_address, network_id=ground.spec.network.id)

        def told(driver: NetworkDriver) -> tuple[list[str], list[str]]:
            (seen,) = driver.inspect_ports(ground.instance, [msgspec.structs.replace(asked, addresses=addresses)])
            return seen.leased, seen.answered

        control = ControlPlane(ground.driver)
        for addresses in (other, [given.ip_address]):
            control.put(ground.spec, addresses=addresses)
            assert told(ground.driver) == told(ground.reopen()) == (addresses, addresses)

    def test_order_that_is_older_than_the_document_changes_nothing_that_is_told(self, ground: Ground) -> None:
        ControlPlane(ground.driver).put(ground.spec, addresses=["10.99.0.77"])
        ground.driver.plug(ground.instance, [ground.spec], {}, "")
        asked = PortAsked(
            id=ground.spec.id, mac_address=ground.spec.mac_address, network_id=ground.spec.network.id,
            addresses=["10.99.0.77"],
        )  # fmt: skip
        (seen,) = ground.driver.inspect_ports(ground.instance, [asked])
        assert (seen.leased, seen.answered, seen.is_filtered) == (["10.99.0.77"], ["10.99.0.77"], True)

    def test_limits_are_kept_and_go_with_their_entry(self, ground: Ground) -> None:
        control = ControlPlane(ground.driver)
        control.put(ground.spec)
        for limit in (LimitSpec(ingress_kbps=1_000), LimitSpec(egress_kbps=2_000, egress_burst_kb=64)):
            control.tell(limits={ground.spec.id: limit})
            assert ground.reopen().known()["limits"] == {ground.spec.id: digest(limit)}
        control.tell(gone={"limits": [ground.spec.id]})
        assert ground.reopen().known()["limits"] == {}
        assert ground.spec.id in ground.reopen().known()["guards"]

    def test_older_document_changes_nothing(self, ground: Ground) -> None:
        ground.driver.apply(HostNetworks(host="h", version=7, guards={ground.spec.id: guard(ground.spec)}))
        before = ground.driver.known()
        ground.driver.apply(HostNetworks(host="h", version=6, gone={"guards": [ground.spec.id]}))
        assert (ground.driver.applied_version(), ground.driver.known()) == (7, before)

    def test_networks_and_neighbours_are_kept_and_forgotten_with_the_rest(self, ground: Ground) -> None:
        network_id = ground.spec.network.id
        segment = SegmentSpec(network_type="vxlan", mtu=1450, segmentation_id=77)
        neighbours = NeighboursSpec(ports=[neighbour()])
        control = ControlPlane(ground.driver)
        control.tell(networks={network_id: segment}, neighbours={network_id: neighbours})
        known = ground.reopen().known()
        assert known["networks"] == {network_id: digest(segment)}
        assert known["neighbours"] == {network_id: digest(neighbours)}
        control.tell(gone={"neighbours": [network_id]})
        assert ground.driver.known()["networks"]
        assert not ground.driver.known()["neighbours"]

    BAD = {
        "type": {"networks": {new_id(): SegmentSpec(network_type="vx lan", mtu=1450, segmentation_id=1)}},
        "number": {"networks": {new_id(): SegmentSpec(network_type="vlan", mtu=1450, segmentation_id=4095)}},
        "no number": {"networks": {new_id(): SegmentSpec(network_type="vxlan", mtu=1450)}},
        "mtu": {"networks": {new_id(): SegmentSpec(network_type="flat", mtu=0)}},
        "wire": {"networks": {new_id(): SegmentSpec(network_type="flat", mtu=1500, physical_network="a\nb")}},
        "prefix": {"networks": {new_id(): advertised(cidr="fd00::/64\n")}},
        "mode": {"networks": {new_id(): advertised(mode="magic")}},
        "router": {"networks": {new_id(): advertised(router_mac="none")}},
        "servers": {"networks": {new_id(): advertised(name_servers=["10.0.0.1"])}},
        "leased": {"networks": {new_id(): SegmentSpec(network_type="local", mtu=1450, leased=[BAD_ADVERT])}},
        "subnet": {"networks": {new_id(): described(cidr="10.0.0.0/24\n")}},
        "subnet id": {"networks": {new_id(): described(id="x,option:router")}},
        "name server": {"networks": {new_id(): described(dns_nameservers=["a.example"])}},
        "route": {"networks": {new_id(): described(host_routes=[RouteSpec(destination="10.0.0.0/8", nexthop="")])}},
        "option": {"guards": {new_id(): GuardSpec(mac_address="fa:16:3e:00:aa:01", dhcp_options={"mtu": "1\n"})}},
        "outside": {"guards": {new_id(): GuardSpec(mac_address="fa:16:3e:00:aa:01", floating_ips=["a\n"])}},
        "tunnel": {"neighbours": {new_id(): NeighboursSpec(ports=[neighbour(tunnel_ip="host")])}},
        "group mac": {"neighbours": {new_id(): NeighboursSpec(ports=[neighbour(mac_address="ff:ff:ff:ff:ff:ff")])}},
        "leg": {"routers": {new_id(): RouterSpec(interfaces=[leg(addresses=["10.0.0.1"])])}},
        "leg id": {"routers": {new_id(): RouterSpec(gateway=leg(port_id="../x"))}},
        "floating": {
            "routers": {new_id(): RouterSpec(floating_ips=[FloatingSpec(floating_address="a", fixed_address="b")])}
        },
        "hop": {"routers": {new_id(): RouterSpec(gateway_ips=["10.0.0.1; flush ruleset"])}},
        "many": {"neighbours": {new_id(): NeighboursSpec(ports=[neighbour(addresses=["224.0.0.1"])])}},
        "key": {"groups": {"x; flush ruleset": GroupSpec()}},
        "members": {"members": {new_id(): MembersSpec(addresses=["10.0.0.1\n"])}},
        "limit": {"limits": {new_id(): LimitSpec(egress_kbps=-1)}},
        "limited": {"limits": {"tap0": LimitSpec(egress_kbps=1)}},
        "protocol": {"groups": {new_id(): GroupSpec(rules=[lets_in(256)])}},
        "port": {"groups": {new_id(): GroupSpec(rules=[lets_in(TCP, 65_536)])}},
        "direction": {"groups": {new_id(): GroupSpec(rules=[RuleSpec(direction="in", ip_version=4)])}},
        "family": {"groups": {new_id(): GroupSpec(rules=[lets_in(TCP, remote_prefix="fd00::/8")])}},
        "remotes": {
            "groups": {new_id(): GroupSpec(rules=[lets_in(TCP, remote_prefix="::/0", remote_group_id=new_id())])}
        },
    }  # fmt: skip

    @pytest.mark.parametrize("name", [*BAD, "pair", "mac"])
    def test_what_is_not_what_it_says_is_refused_whole(self, ground: Ground, name: str) -> None:
        bad_pair = AddressPair(ip_prefix="10.0.0.0/8", mac_address="FA:16:3E:00:00:01")
        whole = guard(ground.spec)
        parts = {
            **self.BAD,
            "pair": {"guards": {ground.spec.id: msgspec.structs.replace(whole, pairs=[bad_pair])}},
            "mac": {"guards": {ground.spec.id: msgspec.structs.replace(whole, mac_address="")}},
        }[name]
        with pytest.raises(VifPlugFailed, match="version 3"):
            ground.driver.apply(HostNetworks(host="h", version=3, **parts))
        assert ground.driver.applied_version() == 0
        assert not any(ground.driver.known().values())

    def test_purge_forgets_the_document(self, ground: Ground) -> None:
        ground.driver.apply(HostNetworks(host="h", version=7, guards={ground.spec.id: guard(ground.spec)}))
        ground.driver.purge()
        assert ground.driver.applied_version() == 0
        assert not any(ground.reopen().known().values())
