"""What a host reports, and when."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from compute_agent.clock import BrokerClock
from compute_agent.drivers.base import PowerState
from compute_agent.drivers.fault_plan import Fault
from compute_agent.observations import changed_power_report, full_power_report, host_report, residue
from compute_agent.operations.spawn import spawn
from compute_agent.reports import Reporter
from compute_agent.settings import Settings
from contracts.compute import SpawnServer
from contracts.conductor import HostReport, PowerReport, Residue
from tests.unit.compute_agent.orders import HOST, FakeHost, order, server_spec

SETTINGS = Settings(state_dir=Path("/nowhere"), redis_url="", hosts=(HOST,), report_seconds=0.05)


@pytest.fixture
def fake():
    return FakeHost()


@pytest.fixture
def server(fake):
    server = server_spec()
    spawn(fake.host, order(SpawnServer, server.uuid, server=server))
    return server


@pytest.fixture
def reporting(fake):
    sent = []
    reporter = Reporter([fake.host], SETTINGS, sent.append)
    yield reporter, sent
    reporter.stop()


def _wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_host_report_tells_inventory_and_guests(fake, server):
    report = host_report(fake.host, "192.0.2.1", 5.0)
    assert (report.host, report.host_ip, report.started_at) == (HOST, "192.0.2.1", 5.0)
    assert (report.vcpus, report.memory_mb, report.memory_mb_free) == (64, 262_144, 262_144 - 64)
    assert report.running_vms == 1
    assert report.cached_images == [server.image.id]


def test_full_power_report_names_every_domain(fake, server):
    (report,) = full_power_report(fake.host)
    assert report.is_full
    assert [(one.instance_uuid, one.power_state) for one in report.instances] == [(server.uuid, PowerState.RUNNING)]


@pytest.mark.parametrize("noted", [PowerState.SHUTDOWN, PowerState.CRASHED])
def test_a_guest_that_was_started_since_its_end_was_noted_is_told_to_run(fake, server, noted):
    """As when a move fails: a report of now that it is off would be believed, though it has run for a moment."""
    (report,) = changed_power_report(fake.host, {server.uuid: noted, "gone": noted})
    assert {one.instance_uuid: one.power_state for one in report.instances} == {
        server.uuid: PowerState.RUNNING, "gone": noted
    }  # fmt: skip
    fake.driver.power_off(server.uuid)
    (report,) = changed_power_report(fake.host, {server.uuid: noted})
    assert report.instances[0].power_state == noted
    fake.driver.faults.add(Fault(verb="list_domains", error="libvirt does not answer"))
    (report,) = changed_power_report(fake.host, {server.uuid: noted})
    assert report.instances[0].power_state == noted


def test_residue_names_what_lies_about(fake, server):
    seen = residue(fake.host)
    port = server.ports[0].id
    assert (seen.domains, seen.disks) == ([server.uuid], [server.uuid])
    assert seen.tap_port_ids == seen.lease_port_ids == seen.metadata_port_ids == [port]


def test_first_report_is_sent_at_once_and_again_and_again(reporting):
    reporter, sent = reporting
    reporter.start()
    _wait_for(lambda: sum(isinstance(one, HostReport) for one in sent) >= 3)
    assert sum(isinstance(one, PowerReport) for one in sent) == 1


def test_changes_of_a_second_travel_in_one_message(reporting):
    reporter, sent = reporting
    for number in range(50):
        reporter.note(HOST, f"u-{number:02}", PowerState.RUNNING)
    reporter.note(HOST, "u-00", PowerState.SHUTDOWN)
    reporter.start()
    _wait_for(lambda: any(isinstance(one, PowerReport) and not one.is_full for one in sent))
    (changed,) = [one for one in sent if isinstance(one, PowerReport) and not one.is_full]
    assert len(changed.instances) == 50
    assert changed.instances[0].power_state == PowerState.SHUTDOWN


def test_a_full_report_follows_as_soon_as_the_broker_is_back(fake, server):
    sent, failures = [], iter(range(4))

    def publish(report):
        if next(failures, None) is not None:
            raise ConnectionError("gone")
        sent.append(report)

    reporter = Reporter([fake.host], replace(SETTINGS, full_report_seconds=600), publish)
    reporter.start()
    _wait_for(lambda: any(isinstance(one, PowerReport) and one.is_full for one in sent))
    time.sleep(0.2)
    reporter.stop()
    assert sum(isinstance(one, PowerReport) for one in sent) == 1


def test_power_reports_come_in_batches_of_constant_size(fake):
    fake.driver.list_domains = lambda: {f"u-{number:03}": PowerState.RUNNING for number in range(450)}
    reports = list(full_power_report(fake.host))
    assert [len(one.instances) for one in reports] == [200, 200, 50]
    assert sorted(one.instance_uuid for report in reports for one in report.instances) == sorted(
        fake.driver.list_domains()
    )


def test_host_that_cannot_look_says_so_and_goes_on_reporting(fake):
    fake.driver.faults.add(Fault(verb="inventory", error="libvirt does not answer"))
    report = host_report(fake.host, "192.0.2.1", 5.0)
    assert (report.host, report.vcpus) == (HOST, 0)
    assert "libvirt does not answer" in report.troubles[0]
    fake.driver.faults.clear()
    assert host_report(fake.host, "192.0.2.1", 5.0).troubles == []


def test_host_without_room_says_so(fake):
    fake.storage.faults.add(Fault(verb="has_room", error="full"))
    report = host_report(fake.host, "192.0.2.1", 5.0)
    assert (report.troubles, report.vcpus) == (["the disk is full"], 64)


def test_reports_bear_the_control_planes_time_and_how_far_the_host_is_off(fake):
    clock = BrokerClock(lambda: time.time() - 600)
    host = replace(fake.host, clock=clock.now, stamp=clock.stamp)
    report = host_report(host, "192.0.2.1", 5.0)
    assert report.reported_at == pytest.approx(time.time() - 600, abs=60)
    assert report.clock_offset_seconds == pytest.approx(600, abs=60)


def test_residue_comes_on_its_own_time(fake):
    sent = []
    reporter = Reporter([fake.host], replace(SETTINGS, full_report_seconds=0.1), sent.append)
    reporter.start()
    _wait_for(lambda: any(isinstance(one, Residue) for one in sent))
    reporter.stop()
