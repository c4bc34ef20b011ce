"""What each operation leaves behind, told to hosts made of fakes."""

import msgspec
import pytest

from compute_agent.drivers.base import PowerState
from compute_agent.drivers.fake import FakeHypervisor
from compute_agent.drivers.fault_plan import Fault
from compute_agent.errors import DomainNotFound, DriverError, ImageUnavailable, VifPlugFailed
from compute_agent.operations.destroy import destroy
from compute_agent.operations.plug_vifs import plug_vifs
from compute_agent.operations.power import reboot, start, stop
from compute_agent.operations.rebuild import rebuild
from compute_agent.operations.spawn import spawn
from contracts.compute import (
    DestroyServer,
    PlugVifs,
    RebootServer,
    RebuildServer,
    SpawnServer,
    StartServer,
    StopServer,
)
from tests.unit.compute_agent.orders import HOST, FakeHost, new_id, order, server_spec


def _running(fake: FakeHost):
    server = server_spec()
    spawn(fake.host, order(SpawnServer, server.uuid, server=server))
    return server


def test_spawn_makes_image_taps_and_disks_that_no_order_made_before():
    fake = FakeHost()
    server = _running(fake)
    assert fake.storage.cached_images() == [server.image.id]
    assert fake.network.plugged_ports() == {server.ports[0].id: server.uuid}
    assert fake.storage.instances_with_disks() == [server.uuid]


def test_spawn_leaves_a_running_guest_alone():
    fake = FakeHost()
    server = _running(fake)
    fake.driver.faults.add(Fault(verb="define", error="touched"))
    assert spawn(fake.host, order(SpawnServer, server.uuid, server=server)).power_state == PowerState.RUNNING


def test_destroy_removes_all_that_a_failing_spawn_made():
    fake = FakeHost()
    server = server_spec()
    fake.driver.faults.add(Fault(verb="start", error="no"))
    with pytest.raises(DriverError):
        spawn(fake.host, order(SpawnServer, server.uuid, server=server))
    destroy(fake.host, order(DestroyServer, server.uuid))
    assert fake.driver.list_domains() == fake.network.plugged_ports() == {}
    assert fake.storage.instances_with_disks() == []


def test_destroy_of_a_stranger_succeeds():
    assert not destroy(FakeHost().host, order(DestroyServer, new_id())).is_failure


def test_destroy_goes_on_where_a_failure_interrupted_it():
    fake = FakeHost()
    server = _running(fake)
    fake.network._faults.add(Fault(verb="unplug", error="netlink", times=1))
    with pytest.raises(VifPlugFailed):
        destroy(fake.host, order(DestroyServer, server.uuid))
    destroy(fake.host, order(DestroyServer, server.uuid))
    assert fake.storage.instances_with_disks() == []


def test_plug_twice_is_plug_once():
    fake = FakeHost()
    server = server_spec()
    for _ in range(2):
        plug_vifs(fake.host, order(PlugVifs, server.uuid, server=server))
    assert fake.network.plugged_ports() == {server.ports[0].id: server.uuid}


def test_stop_lets_an_obedient_guest_end_without_waiting():
    fake = FakeHost()
    server = _running(fake)
    assert stop(fake.host, order(StopServer, server.uuid)).power_state == PowerState.SHUTDOWN
    assert fake.clock.slept == []


def test_stop_cuts_the_power_of_a_deaf_guest_when_its_patience_ends():
    fake = FakeHost(driver=FakeHypervisor(HOST, delays={"shutdown": -1}))
    server = _running(fake)
    begun = fake.clock.now
    assert stop(fake.host, order(StopServer, server.uuid, graceful_seconds=20)).power_state == PowerState.SHUTDOWN
    assert 20 <= fake.clock.now - begun < 21


def test_stop_never_waits_beyond_the_deadline_of_its_order():
    fake = FakeHost(driver=FakeHypervisor(HOST, delays={"shutdown": -1}))
    server = _running(fake)
    stop(fake.host, order(StopServer, server.uuid, graceful_seconds=3600, not_after=fake.clock.now + 30))
    assert fake.clock.now <= 1_030


def test_stop_presses_the_button_again_half_way():
    class Sleepy(FakeHypervisor):
        presses = 0

        def request_shutdown(self, uuid):
            self.presses += 1
            if self.presses == 2:
                super().request_shutdown(uuid)

    fake = FakeHost(driver=Sleepy(HOST))
    server = _running(fake)
    begun = fake.clock.now
    stop(fake.host, order(StopServer, server.uuid, graceful_seconds=20))
    assert fake.driver.presses == 2
    assert fake.clock.now - begun < 12


def test_stop_of_a_stranger_says_that_there_is_none():
    with pytest.raises(DomainNotFound):
        stop(FakeHost().host, order(StopServer, new_id()))


def test_start_brings_back_taps_and_definition_that_a_reboot_of_the_host_lost():
    fake = FakeHost()
    server = _running(fake)
    fake.driver.undefine(server.uuid)
    fake.network.unplug(server.uuid)
    assert start(fake.host, order(StartServer, server.uuid, server=server)).power_state == PowerState.RUNNING
    assert fake.network.plugged_ports() == {server.ports[0].id: server.uuid}


@pytest.mark.parametrize("is_hard", [True, False])
@pytest.mark.parametrize("shutdown", [0, -1])
def test_reboot_ends_running_whether_or_not_the_guest_obeys(is_hard, shutdown):
    fake = FakeHost(driver=FakeHypervisor(HOST, delays={"shutdown": shutdown}))
    server = _running(fake)
    outcome = reboot(fake.host, order(RebootServer, server.uuid, server=server, hard=is_hard, graceful_seconds=5))
    assert outcome.power_state == PowerState.RUNNING
    assert bool(fake.clock.slept) == (not is_hard and shutdown < 0)


@pytest.mark.parametrize(("is_started", "state"), [(True, PowerState.RUNNING), (False, PowerState.SHUTDOWN)])
def test_rebuild_makes_the_disk_anew_and_keeps_the_interfaces(is_started, state):
    fake = FakeHost()
    server = _running(fake)
    changed = msgspec.structs.replace(server, hostname="renamed")
    outcome = rebuild(fake.host, order(RebuildServer, server.uuid, server=changed, is_started=is_started))
    assert outcome.power_state == fake.driver.power_state(server.uuid) == state
    assert fake.storage._disks[server.uuid].hostname == "renamed"
    assert fake.network.plugged_ports() == {server.ports[0].id: server.uuid}


def test_rebuild_from_an_image_that_cannot_be_had_leaves_the_guest_alone():
    fake = FakeHost()
    server = _running(fake)
    fake.storage.faults.add(Fault(verb="prepare_image", error="gone"))
    with pytest.raises(ImageUnavailable):
        rebuild(fake.host, order(RebuildServer, server.uuid, server=server))
    assert fake.driver.power_state(server.uuid) == PowerState.RUNNING
    assert fake.storage.instances_with_disks() == [server.uuid]


def test_rebuild_without_an_image_leaves_the_guest_alone():
    fake = FakeHost()
    server = _running(fake)
    with pytest.raises(ImageUnavailable):
        rebuild(fake.host, order(RebuildServer, server.uuid, server=msgspec.structs.replace(server, image=None)))
    assert fake.driver.power_state(server.uuid) == PowerState.RUNNING
    assert fake.storage.instances_with_disks() == [server.uuid]
