"""What a network driver promises of guests that change their MAC addresses; a test class gives it a `walker`."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from compute_agent.network.base import NetworkDriver
from contracts.compute import PortSpec
from tests.fixtures.ids import new_id
from tests.integration.network.documents import OPEN, ControlPlane

EVERYTHING = new_id()  # a group that lets everything pass
OTHER, THIRD = "02:00:00:00:00:01", "02:00:00:00:00:02"


@dataclass(frozen=True)
class Walker:
    """A plugged port that has port security.

    Attributes:
        driver, reopen: the driver, and another one over the same host.
        spec: the port, with two addresses.
        send: let the guest send from an address under a MAC address.
        hears_as: under which MAC address the guest is given what others send to an address of its port.
    """

    driver: NetworkDriver
    reopen: Callable[[], NetworkDriver]
    spec: PortSpec
    send: Callable[[str, str], None]
    hears_as: Callable[[str], str]

    @property
    def addresses(self) -> list[str]:
        return [one.ip_address for one in self.spec.fixed_ips]


class FollowingSuite:
    """What `follow_guests` promises."""

    @pytest.fixture
    def control(self, walker: Walker) -> ControlPlane:
        control = ControlPlane(walker.driver)
        control.put(walker.spec, control.group(*OPEN, id=EVERYTHING))
        walker.driver.follow_guests()
        return control

    @pytest.fixture
    def unsecured(self, walker: Walker, control: ControlPlane) -> ControlPlane:
        control.put(walker.spec, is_secured=False)
        walker.driver.follow_guests()
        return control

    def test_guest_that_uses_its_own_name_is_left_alone(self, walker: Walker, unsecured: ControlPlane) -> None:
        walker.send(walker.addresses[0], walker.spec.mac_address)
        walker.driver.follow_guests()
        assert walker.hears_as(walker.addresses[0]) == walker.spec.mac_address

    def test_guest_hears_under_the_name_that_it_used_last(self, walker: Walker, unsecured: ControlPlane) -> None:
        first, second = walker.addresses
        for name in (OTHER, THIRD, walker.spec.mac_address, OTHER):
            walker.send(first, name)
            walker.driver.follow_guests()
            assert walker.hears_as(first) == name
            assert walker.hears_as(second) == walker.spec.mac_address

    def test_each_address_has_a_name_of_its_own(self, walker: Walker, unsecured: ControlPlane) -> None:
        first, second = walker.addresses
        walker.send(first, OTHER)
        walker.send(second, THIRD)
        walker.driver.follow_guests()
        assert (walker.hears_as(first), walker.hears_as(second)) == (OTHER, THIRD)

    def test_port_with_port_security_keeps_its_name(self, walker: Walker, control: ControlPlane) -> None:
        walker.send(walker.addresses[0], OTHER)
        walker.driver.follow_guests()
        control.put(walker.spec, is_secured=False)
        walker.driver.follow_guests()
        assert walker.hears_as(walker.addresses[0]) == walker.spec.mac_address

    def test_port_that_is_secured_again_has_its_name_back(self, walker: Walker, unsecured: ControlPlane) -> None:
        walker.send(walker.addresses[0], OTHER)
        walker.driver.follow_guests()
        unsecured.put(walker.spec, EVERYTHING)
        walker.driver.follow_guests()
        assert walker.hears_as(walker.addresses[0]) == walker.spec.mac_address

    def test_address_that_is_no_longer_the_port_s_leads_nowhere_else(
        self, walker: Walker, unsecured: ControlPlane
    ) -> None:
        first, second = walker.addresses
        walker.send(first, OTHER)
        walker.driver.follow_guests()
        unsecured.put(walker.spec, is_secured=False, addresses=[second])
        walker.driver.follow_guests()
        assert walker.hears_as(first) == walker.spec.mac_address

    def test_what_was_followed_outlives_the_driver(self, walker: Walker, unsecured: ControlPlane) -> None:
        walker.send(walker.addresses[0], OTHER)
        walker.driver.follow_guests()
        assert walker.hears_as(walker.addresses[0]) == OTHER
        walker.reopen().follow_guests()
        assert walker.hears_as(walker.addresses[0]) == OTHER
