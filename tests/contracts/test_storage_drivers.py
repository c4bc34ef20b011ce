"""The real and the fake storage keep the same promises."""

import subprocess
import uuid
from pathlib import Path

import pytest

from compute_agent.drivers.fault_plan import Fault
from compute_agent.errors import HostDiskFull, ImageUnavailable
from compute_agent.storage.fake import FakeStorage
from compute_agent.storage.qcow2 import Qcow2Storage
from contracts.compute import ImageSpec
from tests.contracts.moving_suite import MovingSuite
from tests.contracts.storage_suite import GIB, Shelf, StorageSuite, make_server
from tests.fixtures.image_server import ImageServer


class TestQcow2Storage(StorageSuite, MovingSuite):
    @pytest.fixture
    def shelf(self, tmp_path: Path, image_server: ImageServer) -> Shelf:
        disk = tmp_path / "image.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "2G"], check=True)

        def image() -> ImageSpec:
            return image_server.image(disk.read_bytes(), virtual_size_bytes=2 * GIB)

        state = tmp_path / "state"
        return Shelf(
            storage=Qcow2Storage(state), reopen=lambda: Qcow2Storage(state), image=image, store=image_server.place
        )


def pretended_image() -> ImageSpec:
    return ImageSpec(
        id=str(uuid.uuid4()), url="http://nowhere.invalid/", checksum="0" * 128, checksum_algorithm="sha512",
        disk_format="qcow2", size_bytes=1, virtual_size_bytes=2 * GIB,
    )  # fmt: skip


class TestFakeStorage(StorageSuite, MovingSuite):
    @pytest.fixture
    def shelf(self, tmp_path: Path, image_server: ImageServer) -> Shelf:
        return Shelf(
            storage=FakeStorage(folder=tmp_path), reopen=lambda: FakeStorage(folder=tmp_path), image=pretended_image,
            store=image_server.place,
        )  # fmt: skip

    def test_a_guests_console_ends_with_a_prompt_and_has_the_lines_asked_for(self, shelf: Shelf) -> None:
        server = make_server()
        shelf.storage.create_disks(server)
        whole = shelf.storage.read_console(server.uuid, -1)
        assert len(whole.split("\n")) > 100
        assert whole.endswith("web login: ")
        assert len(shelf.storage.read_console(server.uuid, 10).split("\n")) == 10

    def test_it_fails_when_it_is_told_to(self) -> None:
        storage = FakeStorage()
        storage.faults.add(Fault(verb="prepare_image", error="no route to the image service", times=1))
        image = pretended_image()
        with pytest.raises(ImageUnavailable, match="no route"):
            storage.prepare_image(image)
        storage.prepare_image(image)
        assert storage.cached_images() == [image.id]

    def test_it_is_full_when_it_is_full(self) -> None:
        storage = FakeStorage(capacity_gb=5)
        storage.create_disks(make_server())
        assert storage.capacity_gb() == (5, 2)
        with pytest.raises(HostDiskFull):
            storage.create_disks(make_server())
