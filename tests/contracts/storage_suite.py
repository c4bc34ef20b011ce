"""What every StorageDriver must do. A driver's own test class inherits `StorageSuite` and gives it a `shelf`."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compute_agent.errors import DiskTooSmall, ImageUnavailable
from compute_agent.storage import console_log
from compute_agent.storage.base import StorageDriver
from contracts.compute import ImageSpec, ServerSpec

GIB = 1024**3


@dataclass(frozen=True)
class Shelf:
    """A storage driver to be tried out.

    Attributes:
        storage: the driver.
        reopen: makes a second driver of the same host.
        image: makes an image of two GiB that can be fetched.
        store: the URL of a place for one file, which can be put there and fetched.
    """

    storage: StorageDriver
    reopen: Callable[[], StorageDriver]
    image: Callable[[], ImageSpec]
    store: Callable[[], str]


def make_server(image: ImageSpec | None = None, **changes: Any) -> ServerSpec:
    values: dict[str, Any] = {
        "uuid": str(uuid.uuid4()), "name": "instance-1", "hostname": "web", "project_id": "p", "user_id": "u",
        "vcpus": 1, "memory_mb": 96, "disk_gb": 3, "image": image,
    }  # fmt: skip
    return ServerSpec(**{**values, **changes})


class StorageSuite:
    """The promises of StorageDriver."""

    def test_a_prepared_image_is_in_the_cache_and_outlives_the_agent(self, shelf: Shelf) -> None:
        image = shelf.image()
        assert image.id not in shelf.storage.cached_images()
        shelf.storage.prepare_image(image)
        shelf.storage.prepare_image(image)
        assert shelf.storage.cached_images() == [image.id]
        assert shelf.reopen().cached_images() == [image.id]

    def test_disks_of_an_image_that_is_not_cached_are_refused(self, shelf: Shelf) -> None:
        with pytest.raises(ImageUnavailable):
            shelf.storage.create_disks(make_server(shelf.image()))

    def test_a_disk_smaller_than_the_image_is_refused(self, shelf: Shelf) -> None:
        image = shelf.image()
        shelf.storage.prepare_image(image)
        with pytest.raises(DiskTooSmall):
            shelf.storage.create_disks(make_server(image, disk_gb=1))

    @pytest.mark.parametrize("disk_gb", [0, 2, 3])
    def test_a_disk_that_holds_the_image_is_made(self, shelf: Shelf, disk_gb: int) -> None:
        image = shelf.image()
        shelf.storage.prepare_image(image)
        (root,) = shelf.storage.create_disks(make_server(image, disk_gb=disk_gb))
        assert (root.disk_format, root.device, root.bus) == ("qcow2", "disk", "virtio")

    def test_every_wanted_disk_is_made_in_the_order_that_the_guest_sees(self, shelf: Shelf) -> None:
        image = shelf.image()
        shelf.storage.prepare_image(image)
        disks = shelf.storage.create_disks(make_server(image, ephemeral_gb=1, swap_mb=64, config_drive=True))
        assert [disk.device for disk in disks] == ["disk", "disk", "disk", "cdrom"]
        assert [disk.disk_format for disk in disks] == ["qcow2", "raw", "raw", "raw"]
        assert len({disk.path for disk in disks}) == 4

    def test_a_server_without_image_has_no_root_disk(self, shelf: Shelf) -> None:
        assert shelf.storage.create_disks(make_server()) == ()

    def test_making_disks_twice_gives_the_same(self, shelf: Shelf) -> None:
        image = shelf.image()
        shelf.storage.prepare_image(image)
        server = make_server(image, config_drive=True)
        first = shelf.storage.create_disks(server)
        assert shelf.storage.create_disks(server) == first
        assert shelf.reopen().create_disks(msgspec.structs.replace(server)) == first

    def test_a_root_disk_outlives_its_image_in_the_catalog(self, shelf: Shelf) -> None:
        image = shelf.image()
        shelf.storage.prepare_image(image)
        server = make_server(image, swap_mb=64)
        first = shelf.storage.create_disks(server)
        without_image = msgspec.structs.replace(server, image=None)
        assert shelf.storage.create_disks(without_image) == shelf.reopen().create_disks(without_image) == first

    def test_removed_disks_leave_nothing(self, shelf: Shelf) -> None:
        image = shelf.image()
        shelf.storage.prepare_image(image)
        server = make_server(image)
        shelf.storage.create_disks(server)
        assert shelf.storage.instances_with_disks() == [server.uuid]
        assert shelf.reopen().instances_with_disks() == [server.uuid]
        shelf.storage.delete_disks(server.uuid)
        shelf.storage.delete_disks(server.uuid)
        assert shelf.storage.instances_with_disks() == []
        assert shelf.storage.read_console(server.uuid, -1) == ""

    def test_the_console_of_an_unknown_instance_is_empty(self, shelf: Shelf) -> None:
        assert shelf.storage.read_console(str(uuid.uuid4()), 10) == ""

    def test_a_guest_that_writes_without_end_fills_no_disk_and_writes_on(self, shelf: Shelf) -> None:
        server = make_server()
        shelf.storage.create_disks(server)
        log = Path(shelf.storage.console_log_path(server.uuid))
        with log.open("ab", buffering=0) as guest:
            guest.write(b"x" * (console_log.KEEP_BYTES + 1))
            shelf.storage.trim_console_logs()
            guest.write(b"\nstill here\n")
        assert log.stat().st_size < 2 * console_log.READ_BYTES
        assert "still here\n" in shelf.storage.read_console(server.uuid, -1)

    def test_the_free_space_is_a_part_of_the_whole(self, shelf: Shelf) -> None:
        total, free = shelf.storage.capacity_gb()
        assert 0 <= free <= total
        assert total > 0
