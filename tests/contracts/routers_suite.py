"""What a network driver promises of routers, whatever the driver: a test class gives it a `ground` to stand on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compute_agent.network.base import NetworkDriver
from contracts.networks import FloatingSpec, RouterPort, RouterSpec, SegmentSpec
from tests.fixtures.patience import first
from tests.integration.network.documents import ControlPlane
from tests.unit.compute_agent.orders import new_id

ONE, TWO, OUTSIDE = "one", "two", "outside"
ADDRESSES = {ONE: "10.1.0.5", TWO: "10.2.0.5", OUTSIDE: "203.0.113.9"}
ADDRESSES_IPV6 = {ONE: "fd00:1::5", TWO: "fd00:2::5", OUTSIDE: "2001:db8::9"}
PATIENCE_SECONDS = 20
GATEWAY_IPV6 = "2001:db8::2"
GATEWAY, FLOATING, OTHER_FLOATING = "203.0.113.2", "203.0.113.50", "203.0.113.51"


def leg(network_id: str, address: str, address_ipv6: str = "") -> RouterPort:
    """Return a leg of a router in a network, another port each time."""
    id = new_id()
    mac = "fa:16:3e:" + ":".join(id[:6][i : i + 2] for i in (0, 2, 4))
    addresses = [f"{address}/24", *([f"{address_ipv6}/64"] if address_ipv6 else [])]
    return RouterPort(port_id=id, network_id=network_id, mac_address=mac, addresses=addresses)


def floating(outside: str, inside: str) -> FloatingSpec:
    return FloatingSpec(floating_address=outside, fixed_address=inside)


@dataclass(frozen=True)
class Ground:
    """Two guests in two networks, and somebody in an external one, with no router yet.

    Attributes:
        driver, reopen: the driver, and another one over the same host.
        networks: ids of the networks of `one`, `two` and `outside`.
        meets: (name, address) to the name of who answers and the address that it sees, or None.
    """

    driver: NetworkDriver
    reopen: Callable[[], NetworkDriver]
    networks: dict[str, str]
    meets: Callable[[str, str], tuple[str, str] | None]


def meets_soon(ground: Ground, name: str, address: str) -> tuple[str, str] | None:
    """Return who answers, once somebody does: who asked for a neighbour in vain asks again only after a second."""
    return first(lambda: ground.meets(name, address), PATIENCE_SECONDS)


class Router:
    """The router between the three networks, told to a driver again with every change."""

    def __init__(self, ground: Ground) -> None:
        self.id, self.ground, self.control = new_id(), ground, ControlPlane(ground.driver)
        networks = ground.networks
        self.outside = {"network_type": "local"}
        self.spec = RouterSpec(
            interfaces=[leg(networks[ONE], "10.1.0.1", "fd00:1::1"), leg(networks[TWO], "10.2.0.1", "fd00:2::1")],
            gateway=leg(networks[OUTSIDE], GATEWAY, GATEWAY_IPV6), gateway_ips=["203.0.113.1", "2001:db8::1"],
        )  # fmt: skip

    def tell(self, **changes: Any) -> None:
        values = {name: getattr(self.spec, name) for name in self.spec.__struct_fields__}
        self.spec = RouterSpec(**{**values, **changes})
        routed = {ONE: ["10.1.0.1"], TWO: ["10.2.0.1"], OUTSIDE: []}
        kinds = {ONE: {"network_type": "local"}, TWO: {"network_type": "local"}, OUTSIDE: self.outside}
        segments = {
            id: SegmentSpec(mtu=1400, routed=routed[name], **kinds[name]) for name, id in self.ground.networks.items()
        }
        self.control.tell(routers={self.id: self.spec}, networks=segments)

    def forget(self) -> None:
        segments = {id: SegmentSpec(network_type="local", mtu=1400) for id in self.ground.networks.values()}
        self.control.tell(gone={"routers": [self.id]}, networks=segments)


class RoutersSuite:
    """What `apply` promises of routers."""

    def test_two_networks_meet_under_their_own_addresses_while_there_is_a_router(self, ground: Ground) -> None:
        assert ground.meets(ONE, ADDRESSES[TWO]) is None
        router = Router(ground)
        router.tell()
        assert meets_soon(ground, ONE, ADDRESSES[TWO]) == (TWO, ADDRESSES[ONE])
        assert meets_soon(ground, TWO, ADDRESSES[ONE]) == (ONE, ADDRESSES[TWO])
        router.tell(is_up=False)
        assert ground.meets(ONE, ADDRESSES[TWO]) is None
        router.tell(is_up=True)
        assert meets_soon(ground, ONE, ADDRESSES[TWO]) == (TWO, ADDRESSES[ONE])
        router.tell(interfaces=router.spec.interfaces[:1])
        assert ground.meets(ONE, ADDRESSES[TWO]) is None
        router.forget()
        assert ground.meets(ONE, ADDRESSES[OUTSIDE]) is None
        assert not ground.driver.known()["routers"]

    def test_networks_get_out_under_the_gateways_address_and_nobody_gets_in(self, ground: Ground) -> None:
        router = Router(ground)
        router.tell()
        assert meets_soon(ground, ONE, ADDRESSES[OUTSIDE]) == (OUTSIDE, GATEWAY)
        assert ground.meets(OUTSIDE, ADDRESSES[ONE]) is None
        assert ground.meets(OUTSIDE, GATEWAY) is None
        router.tell(has_snat=False)
        assert meets_soon(ground, ONE, ADDRESSES[OUTSIDE]) == (OUTSIDE, ADDRESSES[ONE])
        assert ground.meets(OUTSIDE, ADDRESSES[ONE]) is None
        router.tell(has_snat=True, gateway=None, gateway_ips=[])
        assert ground.meets(ONE, ADDRESSES[OUTSIDE]) is None
        assert meets_soon(ground, ONE, ADDRESSES[TWO]) == (TWO, ADDRESSES[ONE])

    def test_a_floating_address_leads_in_and_out_while_it_is_there(self, ground: Ground) -> None:
        router = Router(ground)
        router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
        assert meets_soon(ground, OUTSIDE, FLOATING) == (ONE, ADDRESSES[OUTSIDE])
        assert meets_soon(ground, ONE, ADDRESSES[OUTSIDE]) == (OUTSIDE, FLOATING)
        assert meets_soon(ground, TWO, ADDRESSES[OUTSIDE]) == (OUTSIDE, GATEWAY)
        assert ground.meets(OUTSIDE, OTHER_FLOATING) is None
        router.tell(floating_ips=[floating(FLOATING, ADDRESSES[TWO])])
        assert meets_soon(ground, OUTSIDE, FLOATING) == (TWO, ADDRESSES[OUTSIDE])
        router.tell(floating_ips=[])
        assert ground.meets(OUTSIDE, FLOATING) is None
        assert meets_soon(ground, TWO, ADDRESSES[OUTSIDE]) == (OUTSIDE, GATEWAY)

    def test_guests_meet_by_their_floating_addresses(self, ground: Ground) -> None:
        router = Router(ground)
        router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE]), floating(OTHER_FLOATING, ADDRESSES[TWO])])
        assert meets_soon(ground, ONE, OTHER_FLOATING) == (TWO, FLOATING)
        assert meets_soon(ground, ONE, FLOATING) == (ONE, FLOATING)
        router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
        assert meets_soon(ground, TWO, FLOATING) == (ONE, GATEWAY)

    def test_ipv6_is_routed_both_ways_under_its_own_addresses(self, ground: Ground) -> None:
        assert ground.meets(ONE, ADDRESSES_IPV6[TWO]) is None
        router = Router(ground)
        router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
        for one, other in ((ONE, TWO), (ONE, OUTSIDE), (OUTSIDE, TWO)):
            assert meets_soon(ground, one, ADDRESSES_IPV6[other]) == (other, ADDRESSES_IPV6[one])
        assert ground.meets(OUTSIDE, GATEWAY_IPV6) is None
        router.tell(has_snat=False, gateway_ips=["203.0.113.1"])
        assert meets_soon(ground, ONE, ADDRESSES_IPV6[TWO]) == (TWO, ADDRESSES_IPV6[ONE])
        router.tell(interfaces=router.spec.interfaces[:1])
        assert ground.meets(OUTSIDE, ADDRESSES_IPV6[TWO]) is None
        router.tell(is_up=False)
        assert ground.meets(ONE, ADDRESSES_IPV6[OUTSIDE]) is None

    def test_what_was_told_outlives_the_driver(self, ground: Ground) -> None:
        router = Router(ground)
        router.tell(floating_ips=[floating(FLOATING, ADDRESSES[ONE])])
        again = ground.reopen()
        again.restore()
        assert again.known() == ground.driver.known()
        assert list(again.known()["routers"]) == [router.id]
        assert meets_soon(ground, OUTSIDE, FLOATING) == (ONE, ADDRESSES[OUTSIDE])
        assert meets_soon(ground, ONE, ADDRESSES[TWO]) == (TWO, ADDRESSES[ONE])
