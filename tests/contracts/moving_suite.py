"""What every StorageDriver must do when instances move or are copied."""

import uuid
from pathlib import Path

import pytest

from compute_agent.errors import DiskMissing, TransferFailed
from contracts.compute import DiskLink, ServerSpec
from tests.contracts.storage_suite import Shelf, make_server


def new_id() -> str:
    return str(uuid.uuid4())


def with_disks(shelf: Shelf, **changes: object) -> ServerSpec:
    image = shelf.image()
    shelf.storage.prepare_image(image)
    server = make_server(image, **changes)
    shelf.storage.create_disks(server)
    return server


class MovingSuite:
    """The promises of StorageDriver about moves and copies."""

    def test_what_is_aside_is_out_of_the_way_and_can_be_taken_back(self, shelf: Shelf) -> None:
        server = with_disks(shelf)
        for _ in range(2):
            shelf.storage.set_aside(server.uuid)
            assert (shelf.storage.instances_with_disks(), shelf.storage.instances_aside()) == ([], [server.uuid])
        assert shelf.reopen().instances_aside() == [server.uuid]
        for _ in range(2):
            shelf.storage.take_back(server.uuid)
            assert (shelf.storage.instances_with_disks(), shelf.storage.instances_aside()) == ([server.uuid], [])
        assert shelf.reopen().instances_with_disks() == [server.uuid]

    def test_there_is_nothing_aside_of_an_instance_without_disks(self, shelf: Shelf) -> None:
        for verb in (shelf.storage.set_aside, shelf.storage.take_back):
            with pytest.raises(DiskMissing):
                verb(new_id())

    def test_removing_disks_leaves_what_is_aside_and_the_other_way_round(self, shelf: Shelf) -> None:
        server = with_disks(shelf)
        shelf.storage.set_aside(server.uuid)
        shelf.storage.delete_disks(server.uuid)
        assert shelf.storage.instances_aside() == [server.uuid]
        for _ in range(2):
            shelf.storage.drop_aside(server.uuid)
        assert shelf.storage.instances_aside() == shelf.reopen().instances_aside() == []

    def test_the_console_goes_with_what_is_aside(self, shelf: Shelf) -> None:
        server = with_disks(shelf)
        log = Path(shelf.storage.console_log_path(server.uuid))
        log.write_text("login:")
        shelf.storage.set_aside(server.uuid)
        shelf.storage.drop_aside(server.uuid)
        assert not log.exists()

    @pytest.mark.parametrize("ephemeral_gb", [0, 1])
    def test_disks_travel_and_land_once(self, shelf: Shelf, ephemeral_gb: int) -> None:
        server = with_disks(shelf, ephemeral_gb=ephemeral_gb, swap_mb=64, config_drive=True)
        names = ["disk", *(["disk.eph0"] if ephemeral_gb else [])]
        shelf.storage.set_aside(server.uuid)
        operation_id, links = new_id(), {name: shelf.store() for name in names}
        for _ in range(2):
            sent = [shelf.storage.send_disk(server.uuid, DiskLink(name=name, url=links[name])) for name in names]
        for _ in range(2):
            for one in sent:
                link = DiskLink(name=one.name, url=links[one.name], size_bytes=one.size_bytes, sha256=one.sha256)
                shelf.storage.receive_disk(server.uuid, operation_id, link)
        assert shelf.storage.instances_with_disks() == []
        for _ in range(2):
            disks = shelf.storage.land_disks(server, operation_id, names)
        assert len(disks) == len(names) + 2
        assert shelf.reopen().instances_with_disks() == [server.uuid]
        assert shelf.storage.instances_aside() == [server.uuid]

    def test_nothing_lands_that_did_not_come(self, shelf: Shelf) -> None:
        with pytest.raises(DiskMissing):
            shelf.storage.land_disks(make_server(), new_id(), ["disk"])

    def test_a_disk_that_is_not_what_was_sent_is_refused(self, shelf: Shelf) -> None:
        server = with_disks(shelf)
        shelf.storage.set_aside(server.uuid)
        url, operation_id = shelf.store(), new_id()
        sent = shelf.storage.send_disk(server.uuid, DiskLink(name="disk", url=url))
        for size, digest in ((sent.size_bytes + 1, sent.sha256), (sent.size_bytes, "0" * 64)):
            with pytest.raises(TransferFailed):
                shelf.storage.receive_disk(
                    server.uuid, operation_id, DiskLink(name="disk", url=url, size_bytes=size, sha256=digest)
                )
        with pytest.raises(DiskMissing):
            shelf.storage.land_disks(server, operation_id, ["disk"])

    def test_only_what_is_aside_is_sent(self, shelf: Shelf) -> None:
        server = with_disks(shelf)
        with pytest.raises(DiskMissing):
            shelf.storage.send_disk(server.uuid, DiskLink(name="disk", url=shelf.store()))

    def test_a_copy_is_sent_and_leaves_nothing(self, shelf: Shelf) -> None:
        server, operation_id = with_disks(shelf), new_id()
        for _ in range(2):
            shelf.storage.begin_snapshot(server.uuid, operation_id)
            shelf.storage.copy_root(server.uuid, operation_id)
            assert shelf.storage.send_snapshot(server.uuid, operation_id, shelf.store()) > 0
            shelf.storage.end_snapshot(server.uuid, operation_id)
        assert shelf.storage.instances_with_disks() == [server.uuid]

    def test_what_has_no_root_disk_is_not_copied(self, shelf: Shelf) -> None:
        with pytest.raises(DiskMissing):
            shelf.storage.begin_snapshot(new_id(), new_id())

    def test_a_destroyed_instance_cannot_land_from_what_came_before(self, shelf: Shelf) -> None:
        server, operation_id, url = with_disks(shelf), new_id(), shelf.store()
        shelf.storage.set_aside(server.uuid)
        sent = shelf.storage.send_disk(server.uuid, DiskLink(name="disk", url=url))
        link = DiskLink(name="disk", url=url, size_bytes=sent.size_bytes, sha256=sent.sha256)
        shelf.storage.receive_disk(server.uuid, operation_id, link)
        shelf.storage.delete_disks(server.uuid)
        with pytest.raises(DiskMissing):
            shelf.storage.land_disks(server, operation_id, ["disk"])
