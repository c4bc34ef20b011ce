"""A libvirtd or a QEMU that hangs or dies: calls end with a named reason, and everything goes on afterwards."""

import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from compute_agent.drivers.base import DiskSource, DomainSpec, PowerState
from compute_agent.drivers.libvirt import LibvirtDriver, LibvirtSettings
from compute_agent.drivers.libvirt import driver as libvirt_driver
from compute_agent.drivers.libvirt.host import close
from compute_agent.errors import AgentError, DriverError
from compute_agent.host import Host
from compute_agent.network.fake import FakeNetwork
from compute_agent.observations import host_report
from compute_agent.operations.destroy import destroy
from compute_agent.operations.power import stop
from compute_agent.storage.fake import FakeStorage
from contracts.compute import DestroyServer, StopServer
from host.libvirtd import Folders, guest_pids
from tests.fixtures.libvirt import PrivateLibvirtd
from tests.unit.compute_agent.orders import order

pytestmark = [pytest.mark.root, pytest.mark.libvirt, pytest.mark.timeout(400)]


@pytest.fixture
def daemon(libvirtd: PrivateLibvirtd) -> Iterator[PrivateLibvirtd]:
    """One of its own, which goes on at the end whatever was done to it."""
    with tempfile.TemporaryDirectory(prefix="novella-libvirt-") as folder:
        shutil.copytree(libvirtd.state_dir / "libvirt" / "cache", Path(folder) / "libvirt" / "cache")
        daemon = PrivateLibvirtd(Path(folder))
        daemon.start()
        yield daemon
        for pid in (daemon_pid(daemon), *guest_pids(Folders(daemon.state_dir))):
            os.kill(pid, signal.SIGCONT)
        daemon.stop_all()


@pytest.fixture
def driver(daemon: PrivateLibvirtd) -> Iterator[LibvirtDriver]:
    driver = LibvirtDriver(LibvirtSettings(uri=daemon.uri, disk_folder=daemon.state_dir))
    yield driver
    driver.close()


@pytest.fixture
def host(driver: LibvirtDriver) -> Host:
    return Host("h", driver, FakeNetwork(), FakeStorage())


def daemon_pid(daemon: PrivateLibvirtd) -> int:
    return int(Folders(daemon.state_dir).pid_file.read_text())


def running_guest(driver: LibvirtDriver, *disks: DiskSource) -> str:
    name = uuid.uuid4()
    driver.define(DomainSpec(uuid=str(name), name=f"instance-{name.hex[:8]}", vcpus=1, memory_mb=64, disks=disks))
    driver.start(str(name))
    return str(name)


def hear(told: "queue.Queue[PowerState]", state: PowerState, seconds: float = 60) -> None:
    """Wait until the listener is told of a state; it may be told of another more than once before."""
    end = time.monotonic() + seconds
    while told.get(timeout=max(end - time.monotonic(), 0.01)) is not state:
        pass


def eventually(call: Callable[[], object], seconds: float = 60) -> object:
    """Return the first answer that is no error."""
    end = time.monotonic() + seconds
    while True:
        try:
            return call()
        except AgentError:
            assert time.monotonic() < end
            time.sleep(0.2)


def test_calls_to_a_daemon_that_hangs_end_and_go_on_when_it_does(
    daemon: PrivateLibvirtd, driver: LibvirtDriver, host: Host
) -> None:
    told: queue.Queue[PowerState] = queue.Queue()
    driver.subscribe(lambda _, state: told.put(state))
    guest = running_guest(driver)
    hear(told, PowerState.RUNNING)
    failures: list[str] = []
    gate = threading.Barrier(17)

    def look() -> None:
        driver.power_state(guest)
        gate.wait(60)
        gate.wait(60)
        with pytest.raises(DriverError) as caught:
            driver.power_state(guest)
        failures.append(str(caught.value))

    threads = [threading.Thread(target=look, daemon=True) for _ in range(16)]
    for thread in threads:
        thread.start()
    gate.wait(60)  # all are connected
    os.kill(daemon_pid(daemon), signal.SIGSTOP)
    gate.wait(60)
    for thread in threads:
        thread.join(timeout=60)
    assert len(failures) == 16
    assert all("libvirt does not answer" in one for one in failures), failures

    for seconds in (60, 14):  # once by keepalive, then, sooner than by that, by a connection that does not come about
        begun = time.monotonic()
        report = host_report(host, "192.0.2.1", 1.0)
        assert "libvirt does not answer" in report.troubles[0]
        assert time.monotonic() - begun < seconds
    os.kill(daemon_pid(daemon), signal.SIGCONT)
    assert eventually(lambda: driver.power_state(guest)) is PowerState.RUNNING
    assert host_report(host, "192.0.2.1", 1.0).troubles == []
    driver.power_off(guest)
    hear(told, PowerState.SHUTDOWN)


def test_daemon_that_hangs_before_the_first_connection_is_given_up_soon(
    daemon: PrivateLibvirtd, driver: LibvirtDriver
) -> None:
    os.kill(daemon_pid(daemon), signal.SIGSTOP)
    begun = time.monotonic()
    for _ in range(5):
        with pytest.raises(DriverError, match="libvirt does not answer"):
            driver.list_domains()
    assert time.monotonic() - begun < 20  # each for itself would have waited 5 s
    assert sum(thread.name == "libvirt-open" for thread in threading.enumerate()) == 1
    os.kill(daemon_pid(daemon), signal.SIGCONT)
    assert eventually(driver.list_domains) == {}


def test_killed_guest_is_told_within_seconds_and_starts_again(daemon: PrivateLibvirtd, driver: LibvirtDriver) -> None:
    told: queue.Queue[PowerState] = queue.Queue()
    driver.subscribe(lambda _, state: told.put(state))
    guest = running_guest(driver)
    hear(told, PowerState.RUNNING)
    (pid,) = guest_pids(Folders(daemon.state_dir))
    os.kill(pid, signal.SIGKILL)
    hear(told, PowerState.SHUTDOWN)
    assert driver.list_domains() == {guest: PowerState.SHUTDOWN}
    driver.start(guest)
    assert driver.power_state(guest) is PowerState.RUNNING


def test_guest_whose_qemu_hangs_can_be_stopped(daemon: PrivateLibvirtd, driver: LibvirtDriver, host: Host) -> None:
    guest = running_guest(driver)
    (pid,) = guest_pids(Folders(daemon.state_dir))
    os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    outcome = stop(host, order(StopServer, guest, not_after=time.time() + 120, graceful_seconds=60))
    assert outcome.power_state == PowerState.SHUTDOWN
    assert time.monotonic() - begun < 50  # it does not wait for a guest whose button does nothing
    assert driver.list_domains() == {guest: PowerState.SHUTDOWN}


def empty_disk(path: Path) -> DiskSource:
    subprocess.run(["/usr/bin/qemu-img", "create", "-q", "-f", "qcow2", str(path), "1M"], check=True)
    return DiskSource(str(path), "qcow2")


def test_guest_whose_qemu_hangs_holds_up_nobody_and_can_be_deleted(
    daemon: PrivateLibvirtd, driver: LibvirtDriver, host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libvirt would wait for its answer for ever; a copy of its disk is given up, and all else goes on meanwhile."""
    monkeypatch.setattr(libvirt_driver, "_COPY_SECONDS", 3.0)
    guest = running_guest(driver, empty_disk(tmp_path / "disk"))
    copy = empty_disk(tmp_path / "copy")
    driver.copy_root_disk(guest, copy.path)
    (pid,) = guest_pids(Folders(daemon.state_dir))
    os.kill(pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(DriverError, match="libvirt does not answer: copying a disk took more than 3 s"):
        driver.copy_root_disk(guest, copy.path)
    assert time.monotonic() - begun < 25
    other = running_guest(driver)
    assert host_report(host, "192.0.2.1", 1.0).troubles == []
    driver.undefine(other)
    destroy(host, order(DestroyServer, guest, not_after=time.time() + 120))
    assert driver.list_domains() == {}
    for left in [one for one in threading.enumerate() if "copying" in one.name]:
        left.join(60)
        assert not left.is_alive()


def test_a_connection_that_its_threads_end_has_closed_is_closed():
    connection = libvirt.open("test:///default")
    connection.close()
    close(connection)
