"""What every HypervisorDriver must do. A driver's own test class inherits `DriverSuite` and gives it a `bench`."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from compute_agent.drivers.base import DomainSpec, HypervisorDriver, Interface, PowerState
from compute_agent.errors import DomainNotFound


@dataclass(frozen=True)
class Bench:
    """A driver to be tried out.

    Attributes:
        driver: the driver.
        reopen: makes a second driver of the same host.
        spec: makes the description of a domain that boots a guest.
        wait_for_guest: returns once the guest of that description is up, so that it hears its power button.
        shutdown_seconds: how long that guest may take to obey.
    """

    driver: HypervisorDriver
    reopen: Callable[[], HypervisorDriver]
    spec: Callable[[], DomainSpec]
    wait_for_guest: Callable[[DomainSpec], None]
    shutdown_seconds: float = 30.0


class Listener:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._heard: list[tuple[str, PowerState]] = []

    def __call__(self, uuid_: str, state: PowerState) -> None:
        with self._news:
            self._heard.append((uuid_, state))
            self._news.notify_all()

    def of(self, uuid_: str) -> list[PowerState]:
        with self._news:
            return [state for heard, state in self._heard if heard == uuid_]

    def wait_for(self, uuid_: str, state: PowerState, seconds: float = 60.0) -> bool:
        with self._news:
            return self._news.wait_for(lambda: (uuid_, state) in self._heard, seconds)


def wait_until_off(driver: HypervisorDriver, uuid_: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while driver.power_state(uuid_) is not PowerState.SHUTDOWN:
        assert time.monotonic() < deadline, f"still on after {seconds} s"
        time.sleep(0.05)


class DriverSuite:
    """The promises of HypervisorDriver."""

    @pytest.fixture
    def domain(self, bench: Bench):
        """A defined domain, removed afterwards."""
        spec = bench.spec()
        bench.driver.define(spec)
        yield spec
        bench.driver.undefine(spec.uuid)

    @pytest.mark.parametrize("verb", ["power_state", "start", "request_shutdown", "power_off"])
    def test_a_missing_domain_is_not_found(self, bench: Bench, verb: str) -> None:
        with pytest.raises(DomainNotFound):
            getattr(bench.driver, verb)(str(uuid.uuid4()))

    def test_removing_a_missing_domain_is_a_success(self, bench: Bench) -> None:
        bench.driver.undefine(str(uuid.uuid4()))

    def test_a_defined_domain_is_off_and_listed(self, bench: Bench, domain: DomainSpec) -> None:
        assert bench.driver.power_state(domain.uuid) is PowerState.SHUTDOWN
        assert bench.driver.list_domains()[domain.uuid] is PowerState.SHUTDOWN

    def test_defining_again_replaces_the_definition(self, bench: Bench, domain: DomainSpec) -> None:
        bench.driver.define(replace(domain, vcpus=2))
        assert list(bench.driver.list_domains()).count(domain.uuid) == 1
        assert bench.driver.power_state(domain.uuid) is PowerState.SHUTDOWN

    def test_a_started_domain_runs_and_starting_it_again_changes_nothing(
        self, bench: Bench, domain: DomainSpec
    ) -> None:
        bench.driver.start(domain.uuid)
        bench.driver.start(domain.uuid)
        assert bench.driver.power_state(domain.uuid) is PowerState.RUNNING
        assert bench.driver.list_domains()[domain.uuid] is PowerState.RUNNING

    def test_a_running_domain_goes_on_when_it_is_defined_anew(self, bench: Bench, domain: DomainSpec) -> None:
        listener = Listener()
        bench.driver.start(domain.uuid)
        bench.driver.subscribe(listener)
        bench.driver.define(replace(domain, memory_mb=domain.memory_mb + 32))
        assert bench.driver.power_state(domain.uuid) is PowerState.RUNNING
        assert listener.of(domain.uuid) == []

    @pytest.fixture
    def taps(self) -> list[str]:
        """Names of two taps that are there; a driver of real guests needs real ones."""
        return ["tap-a", "tap-b"]

    @pytest.mark.parametrize("is_running", [False, True], ids=["off", "running"])
    def test_interfaces_are_those_that_were_asked_for(
        self, bench: Bench, domain: DomainSpec, taps: list[str], is_running: bool
    ) -> None:
        driver = bench.driver
        cards = [Interface(tap, f"fa:16:3e:00:01:{number:02x}") for number, tap in enumerate(taps)]
        if is_running:
            driver.start(domain.uuid)
            bench.wait_for_guest(domain)
        for wanted in (cards, cards, cards[1:], []):
            driver.set_interfaces(domain.uuid, wanted)
            assert driver.inspect(domain.uuid).taps == tuple(card.tap for card in wanted)
        expected = PowerState.RUNNING if is_running else PowerState.SHUTDOWN
        assert driver.power_state(domain.uuid) is expected

    def test_cutting_the_power_twice_is_cutting_it_once(self, bench: Bench, domain: DomainSpec) -> None:
        bench.driver.start(domain.uuid)
        bench.driver.power_off(domain.uuid)
        bench.driver.power_off(domain.uuid)
        assert bench.driver.power_state(domain.uuid) is PowerState.SHUTDOWN

    def test_the_power_button_of_a_domain_that_is_off_does_nothing(self, bench: Bench, domain: DomainSpec) -> None:
        bench.driver.request_shutdown(domain.uuid)
        assert bench.driver.power_state(domain.uuid) is PowerState.SHUTDOWN

    def test_a_guest_obeys_its_power_button(self, bench: Bench, domain: DomainSpec) -> None:
        bench.driver.start(domain.uuid)
        bench.wait_for_guest(domain)
        bench.driver.request_shutdown(domain.uuid)
        wait_until_off(bench.driver, domain.uuid, bench.shutdown_seconds)

    def test_removing_a_running_domain_leaves_nothing(self, bench: Bench, domain: DomainSpec) -> None:
        bench.driver.start(domain.uuid)
        bench.driver.undefine(domain.uuid)
        bench.driver.undefine(domain.uuid)
        assert domain.uuid not in bench.driver.list_domains()
        with pytest.raises(DomainNotFound):
            bench.driver.power_state(domain.uuid)

    def test_listeners_hear_of_each_change_in_order(self, bench: Bench, domain: DomainSpec) -> None:
        listener = Listener()
        bench.driver.subscribe(listener)
        bench.driver.start(domain.uuid)
        bench.driver.power_off(domain.uuid)
        assert listener.wait_for(domain.uuid, PowerState.SHUTDOWN)
        assert listener.of(domain.uuid)[0] is PowerState.RUNNING
        assert listener.of(domain.uuid)[-1] is PowerState.SHUTDOWN

    def test_a_guest_outlives_its_driver(self, bench: Bench, domain: DomainSpec) -> None:
        first = bench.reopen()
        first.start(domain.uuid)
        first.close()
        second = bench.reopen()
        assert second.list_domains()[domain.uuid] is PowerState.RUNNING
        second.power_off(domain.uuid)
        second.close()

    def test_the_inventory_tells_what_the_host_has(self, bench: Bench) -> None:
        inventory = bench.driver.inventory()
        assert inventory.hypervisor_hostname
        assert inventory.hypervisor_type
        assert inventory.hypervisor_version > 0
        assert inventory.vcpus > 0
        assert 0 <= inventory.memory_mb_free <= inventory.memory_mb
        assert 0 <= inventory.disk_gb_free <= inventory.disk_gb
        assert inventory.cpu_sockets * inventory.cpu_cores * inventory.cpu_threads >= 1
