"""A host whose disk fills up at any write: it says so, leaves nothing half-made, removes servers, and recovers."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compute_agent.drivers.fake import FakeHypervisor
from compute_agent.fences import FileFences
from compute_agent.host import Host
from compute_agent.locks import FileLocks
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.observations import host_report, residue
from compute_agent.storage.qcow2 import Qcow2Storage
from compute_agent.tasks import Agent, Station, carry_out
from contracts.blank_image import blank_qcow2
from contracts.compute import DestroyServer, PrepareImage, SpawnServer
from tests.fixtures.image_server import ImageServer
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id, order, server_spec

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

HOST = "full-1"
PAGE = 4096
SIZE_MIB = 8


class SmallHost:
    """A host with real files and a real network on a disk of a few MiB."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.storage = Qcow2Storage(folder)
        self.network = LinuxBridgeNetwork(folder)
        self.driver = FakeHypervisor(HOST)
        self.host = Host(HOST, self.driver, self.network, self.storage)
        self.agent = Agent({HOST: Station(self.host, FileLocks(folder / "locks"), FileFences(folder / "fences"))})

    def send(self, kind, uuid: str, **values: object) -> dict[str, object]:
        message = order(kind, uuid, host=HOST, not_after=time.time() + 100, **values)
        return carry_out(self.agent, kind.NAME, message.to_wire())

    def leave_room(self, size: int) -> None:
        """Fill the disk but for so many bytes."""
        self.make_room()
        disk = os.statvfs(self.folder)
        with (self.folder / "ballast").open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(disk.f_bavail * disk.f_frsize - size, PAGE))

    def make_room(self) -> None:
        (self.folder / "ballast").unlink(missing_ok=True)

    def left(self) -> list[str]:
        """Return what is there of any instance, files that nobody finished included."""
        seen = residue(self.host).to_wire()
        drafts = [str(path) for path in self.folder.rglob("*") if path.suffix in (".new", ".part")]
        return [*drafts, *(f"{key}: {value}" for key, value in seen.items() if isinstance(value, list) and value)]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallHost]:
    if os.geteuid() != 0:
        pytest.skip("a small file system needs root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=700", "novella", tmp_path], check=True)
    small = SmallHost(tmp_path)
    yield small
    small.make_room()
    small.network.purge()
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


def test_server_that_does_not_fit_is_refused_by_name_at_every_write_and_leaves_nothing(
    small: SmallHost, image_server: ImageServer
) -> None:
    image = image_server.image(blank_qcow2(1024**3))
    assert small.send(PrepareImage, new_id(), image=image)["error_code"] == ""
    outcomes = []
    for pages in (*range(32), *range(32, 320, 16)):
        uuid = new_id()
        server = server_spec(
            uuid=uuid, image=image, ports=[port(network(), "10.99.0.5")], config_drive=True, user_data="eA=="
        )
        small.leave_room(pages * PAGE)
        outcomes.append(small.send(SpawnServer, uuid, server=server))
        gone = small.send(DestroyServer, uuid, is_final=True)
        assert gone["error_code"] == "", (pages, outcomes[-1], gone)
        assert small.left() == [], (pages, outcomes[-1])
        small.make_room()
        for path in (small.folder / "fences").glob("*.json"):
            path.unlink()
        small.agent.stations[HOST].fences.prune()
    codes = [outcome["error_code"] for outcome in outcomes]
    assert codes[0] == "HostDiskFull"
    others = [one for one in outcomes if one["error_code"] not in ("", "HostDiskFull")]
    assert others == []
    assert "" in codes, "the sweep ends where everything fits"


def test_full_host_says_so_in_its_report_until_it_has_room(small: SmallHost) -> None:
    assert host_report(small.host, "192.0.2.1", 1.0).troubles == []
    small.leave_room(PAGE)
    assert host_report(small.host, "192.0.2.1", 1.0).troubles == ["the disk is full"]
    small.make_room()
    assert host_report(small.host, "192.0.2.1", 1.0).troubles == []


def test_image_that_does_not_fit_leaves_no_part_of_itself(small: SmallHost, image_server: ImageServer) -> None:
    image = image_server.image(os.urandom(512 * 1024), disk_format="raw")
    small.leave_room(64 * 1024)
    assert small.send(PrepareImage, new_id(), image=image)["error_code"] == "HostDiskFull"
    assert [path for path in (small.folder / "images_cache").iterdir() if path.stat().st_size] == []
    small.make_room()
    assert small.send(PrepareImage, new_id(), image=image)["error_code"] == ""
