"""Taking an installation down, on a host of fakes."""

from compute_agent.drivers.base import PowerState
from compute_agent.drivers.fault_plan import Fault
from compute_agent.operations.spawn import spawn
from compute_agent.purge import purge
from contracts.compute import SpawnServer
from tests.unit.compute_agent.orders import FakeHost, order, server_spec


def _with_a_guest() -> FakeHost:
    fake = FakeHost()
    server = server_spec()
    spawn(fake.host, order(SpawnServer, server.uuid, server=server))
    return fake


def test_purge_ends_guests_and_networks_and_keeps_what_can_start_again():
    fake = _with_a_guest()
    assert purge(fake.host, has_disks=False) == []
    assert list(fake.driver.list_domains().values()) == [PowerState.SHUTDOWN]
    assert fake.network.plugged_ports() == {}
    assert len(fake.storage.instances_with_disks()) == 1


def test_purge_of_disks_is_asked_for():
    fake = _with_a_guest()
    purge(fake.host, has_disks=True)
    assert fake.driver.list_domains() == {}
    assert fake.storage.instances_with_disks() == []


def test_one_failure_does_not_keep_the_rest():
    fake = _with_a_guest()
    fake.driver.faults.add(Fault(verb="list_domains", error="libvirtd is away"))
    (sentence,) = purge(fake.host, has_disks=True)
    assert "libvirtd is away" in sentence
    assert fake.network.plugged_ports() == {}
