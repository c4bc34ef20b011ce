"""The private libvirtd is alone in its folders, and when it is ended nothing of it is left."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from compute_agent.drivers.base import DomainSpec, PowerState
from compute_agent.drivers.libvirt import LibvirtDriver, LibvirtSettings
from compute_agent.errors import DriverError
from host.libvirtd import Folders, guest_pids, wait_until_ready
from tests.fixtures.libvirt import PrivateLibvirtd
from tests.fixtures.patience import eventually

pytestmark = [pytest.mark.root, pytest.mark.libvirt]


@pytest.fixture
def daemon(libvirtd: PrivateLibvirtd) -> Iterator[PrivateLibvirtd]:
    """One of its own, beside that of the session."""
    with tempfile.TemporaryDirectory(prefix="novella-libvirt-") as folder:
        # What the other found out about QEMU need not be found out again.
        shutil.copytree(libvirtd.state_dir / "libvirt" / "cache", Path(folder) / "libvirt" / "cache")
        daemon = PrivateLibvirtd(Path(folder))
        daemon.start()
        yield daemon
        daemon.stop_all()


@pytest.fixture
def driver(daemon: PrivateLibvirtd) -> Iterator[LibvirtDriver]:
    driver = LibvirtDriver(LibvirtSettings(uri=daemon.uri, disk_folder=daemon.state_dir))
    yield driver
    driver.close()


def running_guest(driver: LibvirtDriver) -> str:
    name = uuid.uuid4()
    driver.define(DomainSpec(uuid=str(name), name=f"instance-{name.hex[:8]}", vcpus=1, memory_mb=64))
    driver.start(str(name))
    return str(name)


def _content(pid_file: Path) -> str:
    """Return what is in a file that others write and remove."""
    try:
        return pid_file.read_text()
    except FileNotFoundError:
        return ""


def _listed(driver: LibvirtDriver) -> dict[str, PowerState]:
    """Return the domains; none over a connection that has just lost its daemon."""
    try:
        return driver.list_domains()
    except DriverError:
        return {}


def test_two_of_them_do_not_see_each_others_domains(driver: LibvirtDriver, libvirtd: PrivateLibvirtd) -> None:
    guest = running_guest(driver)
    other = LibvirtDriver(LibvirtSettings(uri=libvirtd.uri, disk_folder=libvirtd.state_dir))
    assert guest in driver.list_domains()
    assert guest not in other.list_domains()
    other.close()


def test_ending_it_ends_its_guests_and_leaves_nothing_running(daemon: PrivateLibvirtd, driver: LibvirtDriver) -> None:
    guest = running_guest(driver)
    folders = Folders(daemon.state_dir)
    assert daemon.stop_all() == 1
    assert list(guest_pids(folders)) == []
    assert not folders.runtime.exists()
    assert str(daemon.state_dir) not in Path("/proc/self/mounts").read_text()
    commands = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if guest in command or str(daemon.state_dir) in command]
    with pytest.raises(DriverError):
        driver.list_domains()
    daemon.start()
    assert driver.list_domains() == {guest: PowerState.SHUTDOWN}, "its definition is kept like its disk"


def test_a_guest_is_ended_even_when_its_libvirtd_died_before(daemon: PrivateLibvirtd, driver: LibvirtDriver) -> None:
    running_guest(driver)
    daemon.kill()
    assert daemon.stop_all() == 1


def test_a_second_one_takes_the_place_of_a_first_that_was_left_behind(
    daemon: PrivateLibvirtd, driver: LibvirtDriver
) -> None:
    guest = running_guest(driver)
    pid_file = Folders(daemon.state_dir).pid_file
    first = pid_file.read_text()
    successor = PrivateLibvirtd(daemon.state_dir)
    successor.start()
    assert eventually(lambda: _content(pid_file) not in ("", first))
    wait_until_ready(daemon.state_dir, 60)
    assert eventually(lambda: guest in _listed(driver))
    assert not Path(f"/proc/{first.strip()}/fd/0").exists(), "the first one is still there"
    assert successor.stop_all() == 1
