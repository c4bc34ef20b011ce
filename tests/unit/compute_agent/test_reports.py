"""What a host reports, and when."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from compute_agent.drivers.base import PowerState
from compute_agent.observations import full_power_report, host_report, residue
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


def _wait_for(condition, seconds=5.0):
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
    report = full_power_report(fake.host)
    assert report.is_full
    assert [(one.instance_uuid, one.power_state) for one in report.instances] == [(server.uuid, PowerState.RUNNING)]


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


def test_reporter_outlives_a_broker_that_is_away(fake):
    sent, failures = [], iter(range(2))

    def publish(report):
        if next(failures, None) is not None:
            raise ConnectionError("gone")
        sent.append(report)

    reporter = Reporter([fake.host], SETTINGS, publish)
    reporter.start()
    _wait_for(lambda: sent)
    reporter.stop()


def test_residue_comes_on_its_own_time(fake):
    sent = []
    reporter = Reporter([fake.host], replace(SETTINGS, full_report_seconds=0.1), sent.append)
    reporter.start()
    _wait_for(lambda: any(isinstance(one, Residue) for one in sent))
    reporter.stop()
