"""What the fake promises beyond the suite that it shares with libvirt."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from compute_agent.drivers.base import DomainSpec, PowerState
from compute_agent.drivers.fake import FakeHypervisor, FakeSize
from compute_agent.drivers.fault_plan import Fault, FaultPlan
from compute_agent.errors import DriverError

SPEC = DomainSpec(uuid="u-1", name="instance-1", vcpus=1, memory_mb=600)


def test_guests_outlive_the_agent(tmp_path):
    first = FakeHypervisor("h", folder=tmp_path)
    first.define(SPEC)
    first.start("u-1")
    assert FakeHypervisor("h", folder=tmp_path).list_domains() == {"u-1": PowerState.RUNNING}


def test_undefined_domain_leaves_no_file(tmp_path):
    driver = FakeHypervisor("h", folder=tmp_path)
    driver.define(SPEC)
    driver.undefine("u-1")
    assert not list(tmp_path.iterdir())


def test_memory_is_accounted_and_overcommit_refused_when_told():
    driver = FakeHypervisor("h", FakeSize(memory_mb=1000, is_overcommit_refused=True))
    for uuid in ("u-1", "u-2"):
        driver.define(DomainSpec(uuid=uuid, name=uuid, vcpus=1, memory_mb=600))
    driver.start("u-1")
    assert driver.inventory().memory_mb_free == 400
    with pytest.raises(DriverError, match="memory"):
        driver.start("u-2")
    driver.power_off("u-1")
    driver.start("u-2")


def test_faults_strike_as_often_as_told_and_only_whom_they_name():
    driver = FakeHypervisor("h", faults=FaultPlan(Fault(verb="start", uuid="u-1", error="no", times=1)))
    for uuid in ("u-1", "u-2"):
        driver.define(DomainSpec(uuid=uuid, name=uuid, vcpus=1, memory_mb=1))
    driver.start("u-2")
    with pytest.raises(DriverError, match="start: no"):
        driver.start("u-1")
    driver.start("u-1")


def test_faults_can_be_given_to_a_running_agent_through_a_file(tmp_path):
    path = tmp_path / "faults.json"
    driver = FakeHypervisor("h", faults=FaultPlan(path=path))
    driver.define(SPEC)
    path.write_text(json.dumps([{"verb": "start", "error": "from outside"}]))
    with pytest.raises(DriverError, match="from outside"):
        driver.start("u-1")
    path.unlink()
    driver.start("u-1")


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_text("[]")])
def test_what_dawdles_goes_on_when_the_plan_changes(tmp_path, change):
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([{"verb": "start", "delay_seconds": 1000}]))
    driver = FakeHypervisor("h", faults=FaultPlan(path=path))
    driver.define(SPEC)
    with ThreadPoolExecutor() as pool:
        started = pool.submit(driver.start, "u-1")
        with pytest.raises(TimeoutError):
            started.result(timeout=0.2)
        change(path)
        started.result(timeout=30)
    assert driver.power_state("u-1") is PowerState.RUNNING


def test_crash_is_told_to_subscribers():
    driver = FakeHypervisor("h")
    seen, told = [], threading.Event()

    def listener(uuid, state):
        seen.append((uuid, state))
        if state is PowerState.CRASHED:
            told.set()

    driver.subscribe(listener)
    driver.define(SPEC)
    driver.start("u-1")
    driver.crash("u-1")
    assert told.wait(60)
    assert seen == [("u-1", PowerState.RUNNING), ("u-1", PowerState.CRASHED)]
