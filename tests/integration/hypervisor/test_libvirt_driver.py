"""The libvirt driver on a real QEMU: the shared promises, and what only a real hypervisor can be asked."""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import libvirt
import pytest
from pyroute2 import IPRoute

from compute_agent.drivers.base import DiskSource, DomainSpec, PowerState
from compute_agent.drivers.libvirt import LibvirtDriver, LibvirtSettings
from compute_agent.errors import DomainNotFound, DriverError
from host.libvirtd import Folders, guest_pids
from tests.contracts.driver_suite import Bench, DriverSuite, Listener, wait_until_off
from tests.fixtures.libvirt import PrivateLibvirtd

pytestmark = [pytest.mark.root, pytest.mark.libvirt, pytest.mark.timeout(400)]

BOOT_SECONDS, SHUTDOWN_SECONDS = 150, 90


def wait_for_prompt(spec: DomainSpec) -> None:
    log = Path(spec.console_log)
    deadline = time.monotonic() + BOOT_SECONDS
    while b"login:" not in (log.read_bytes() if log.exists() else b""):
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.05)


@pytest.fixture
def settings(libvirtd: PrivateLibvirtd) -> LibvirtSettings:
    return LibvirtSettings(uri=libvirtd.uri, disk_folder=libvirtd.state_dir)


@pytest.fixture
def driver(settings: LibvirtSettings) -> Iterator[LibvirtDriver]:
    driver = LibvirtDriver(settings)
    yield driver
    driver.close()


@pytest.fixture
def make_spec(guest_image: Path, tmp_path: Path):
    def make() -> DomainSpec:
        # Nothing that the tests care for is written: the guest lives in memory, its disk may be shared.
        name = uuid.uuid4()
        return DomainSpec(
            uuid=str(name),
            name=f"instance-{name.hex[:8]}",
            vcpus=1,
            memory_mb=96,
            disks=(DiskSource(path=str(overlay(guest_image, tmp_path, name.hex)), disk_format="qcow2"),),
            console_log=str(tmp_path / f"{name}.log"),
        )

    return make


def overlay(image: Path, folder: Path, name: str) -> Path:
    path = folder / f"{name}.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", path], check=True)
    return path


class TestLibvirtDriver(DriverSuite):
    @pytest.fixture
    def taps(self) -> Iterator[list[str]]:
        names = [f"novella{uuid.uuid4().hex[:8]}" for _ in range(2)]
        with IPRoute() as netlink:
            for name in names:
                netlink.link("add", ifname=name, kind="tuntap", mode="tap")
            yield names
            for name in names:
                netlink.link("del", index=netlink.link_lookup(ifname=name)[0])

    @pytest.fixture
    def bench(self, driver: LibvirtDriver, settings: LibvirtSettings, make_spec) -> Bench:
        return Bench(
            driver=driver,
            reopen=lambda: LibvirtDriver(settings),
            spec=make_spec,
            wait_for_guest=wait_for_prompt,
            shutdown_seconds=SHUTDOWN_SECONDS,
        )


@pytest.fixture
def guest(driver: LibvirtDriver, make_spec) -> Iterator[DomainSpec]:
    spec = make_spec()
    driver.define(spec)
    driver.start(spec.uuid)
    yield spec
    driver.undefine(spec.uuid)


def test_somebody_elses_domain_is_invisible_and_left_alone(
    driver: LibvirtDriver, libvirtd: PrivateLibvirtd, make_spec
) -> None:
    foreign = str(uuid.uuid4())
    connection = libvirt.open(libvirtd.uri)
    domain = connection.defineXML(
        f"<domain type='qemu'><name>theirs</name><uuid>{foreign}</uuid><memory unit='MiB'>64</memory>"
        "<os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"
    )
    try:
        assert foreign not in driver.list_domains()
        with pytest.raises(DomainNotFound):
            driver.power_state(foreign)
        driver.undefine(foreign)
        with pytest.raises(DriverError, match="not made by us"):
            driver.define(DomainSpec(uuid=foreign, name="mine", vcpus=1, memory_mb=64))
        assert domain.name() == "theirs"
        assert connection.lookupByName("theirs").UUIDString() == foreign
    finally:
        domain.undefine()
        connection.close()


def test_a_missing_disk_is_a_driver_error_and_the_domain_stays_off(driver: LibvirtDriver) -> None:
    name = uuid.uuid4()
    disk = DiskSource(path="/nonexistent/disk", disk_format="qcow2")
    driver.define(DomainSpec(uuid=str(name), name=f"instance-{name.hex[:8]}", vcpus=1, memory_mb=64, disks=(disk,)))
    try:
        with pytest.raises(DriverError, match="starting domain"):
            driver.start(str(name))
        assert driver.power_state(str(name)) is PowerState.SHUTDOWN
    finally:
        driver.undefine(str(name))


def test_a_libvirt_that_is_not_there_is_a_driver_error(tmp_path: Path) -> None:
    settings = LibvirtSettings(uri=f"qemu+unix:///system?socket={tmp_path}/nothing", disk_folder=tmp_path)
    with pytest.raises(DriverError, match="libvirt does not answer"):
        LibvirtDriver(settings).list_domains()


def test_a_killed_qemu_is_told_as_off(driver: LibvirtDriver, libvirtd: PrivateLibvirtd, guest: DomainSpec) -> None:
    listener = Listener()
    driver.subscribe(listener)
    for pid in guest_pids(Folders(libvirtd.state_dir)):
        os.kill(pid, signal.SIGKILL)
    assert listener.wait_for(guest.uuid, PowerState.SHUTDOWN)
    assert driver.power_state(guest.uuid) is PowerState.SHUTDOWN


def test_a_guest_outlives_libvirtd_and_the_driver_finds_it_again(
    driver: LibvirtDriver, libvirtd: PrivateLibvirtd, guest: DomainSpec
) -> None:
    listener = Listener()
    driver.subscribe(listener)
    (before,) = guest_pids(Folders(libvirtd.state_dir))
    libvirtd.kill()
    with pytest.raises(DriverError):
        driver.list_domains()
    libvirtd.start()
    assert driver.power_state(guest.uuid) is PowerState.RUNNING
    assert list(guest_pids(Folders(libvirtd.state_dir))) == [before]
    wait_for_prompt(guest)
    driver.request_shutdown(guest.uuid)
    assert listener.wait_for(guest.uuid, PowerState.SHUTDOWN, SHUTDOWN_SECONDS)
    wait_until_off(driver, guest.uuid, SHUTDOWN_SECONDS)


def test_what_happened_while_libvirtd_was_away_is_told_late(
    driver: LibvirtDriver, libvirtd: PrivateLibvirtd, guest: DomainSpec
) -> None:
    listener = Listener()
    driver.subscribe(listener)
    assert driver.power_state(guest.uuid) is PowerState.RUNNING
    (pid,) = guest_pids(Folders(libvirtd.state_dir))
    libvirtd.kill()
    os.kill(pid, signal.SIGKILL)
    libvirtd.start()
    assert listener.wait_for(guest.uuid, PowerState.SHUTDOWN)
