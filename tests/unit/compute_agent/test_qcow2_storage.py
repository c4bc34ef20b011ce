"""Disks have the size, the base and the names that the order says, and a console log is fit to be shown."""

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

from compute_agent.errors import AgentError
from compute_agent.storage import console_log
from compute_agent.storage.qcow2 import Qcow2Storage
from contracts.compute import ImageSpec
from tests.contracts.storage_suite import make_server
from tests.fixtures.image_server import ImageServer

MIB = 1024**2


@pytest.fixture
def storage(tmp_path: Path) -> Qcow2Storage:
    return Qcow2Storage(tmp_path)


@pytest.fixture
def image(storage: Qcow2Storage, image_server: ImageServer) -> ImageSpec:
    spec = image_server.image(b"\x55" * MIB, disk_format="raw", virtual_size_bytes=MIB)
    storage.prepare_image(spec)
    return spec


def about(path: str) -> dict[str, object]:
    done = subprocess.run(["qemu-img", "info", "--output=json", "-f", "qcow2", path], check=True, capture_output=True)
    return json.loads(done.stdout)


def head(path: str) -> bytes:
    with Path(path).open("rb") as stream:
        return stream.read(4096)


def test_the_root_disk_is_an_overlay_that_names_its_bases_format(storage: Qcow2Storage, image: ImageSpec) -> None:
    (root,) = storage.create_disks(make_server(image, disk_gb=2))
    facts = about(root.path)
    assert facts["virtual-size"] == 2 * 1024 * MIB
    assert facts["backing-filename-format"] == "raw"
    assert Path(str(facts["backing-filename"])).name.startswith(image.id)


def test_a_flavor_without_disk_gets_the_images_size(storage: Qcow2Storage, image: ImageSpec) -> None:
    (root,) = storage.create_disks(make_server(image, disk_gb=0))
    assert about(root.path)["virtual-size"] == MIB


def test_a_config_drive_without_its_disks_is_named_and_removed_as_they_are(storage: Qcow2Storage) -> None:
    server = make_server(config_drive=True)
    (drive,) = storage.create_disks(server)
    assert Path(drive.path).name == "disk.config"
    assert storage.instances_with_disks() == [server.uuid]
    storage.delete_disks(server.uuid)
    assert (storage.instances_with_disks(), Path(drive.path).exists()) == ([], False)


def test_swap_and_ephemeral_disks_are_sparse_and_formatted(storage: Qcow2Storage) -> None:
    ephemeral, swap = storage.create_disks(make_server(ephemeral_gb=2, swap_mb=64))
    assert Path(ephemeral.path).stat().st_size == 2 * 1024 * MIB
    assert Path(ephemeral.path).stat().st_blocks * 512 < 200 * MIB
    assert head(ephemeral.path)[1024 + 56 : 1024 + 58] == b"\x53\xef"  # ext's magic
    assert Path(swap.path).stat().st_size == 64 * MIB
    assert b"SWAPSPACE2" in head(swap.path)


def test_the_guest_sees_the_bus_that_the_image_asks_for(storage: Qcow2Storage, image: ImageSpec) -> None:
    wishes = {"ide": "ide", "scsi": "scsi", "fdc": "virtio"}
    for wish, bus in wishes.items():
        (root,) = storage.create_disks(make_server(image, image_properties={"hw_disk_bus": wish}))
        assert root.bus == bus


@pytest.mark.parametrize("name", ["../../etc", "x", "", "A" * 36])
def test_a_uuid_that_is_none_reaches_no_file(storage: Qcow2Storage, name: str) -> None:
    with pytest.raises(AgentError):
        storage.delete_disks(name)
    with pytest.raises(AgentError):
        storage.read_console(name, 1)


def test_folders_of_others_are_not_counted(storage: Qcow2Storage, tmp_path: Path) -> None:
    (tmp_path / "instances" / "lost+found").mkdir()
    assert storage.instances_with_disks() == []


def test_a_tool_that_fails_says_why_and_leaves_no_disk(
    storage: Qcow2Storage, image: ImageSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bin" / "qemu-img"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'no such luck' >&2\nexit 3\n")
    broken.chmod(0o755)
    prlimit = shutil.which("prlimit")
    (tmp_path / "bin" / "prlimit").symlink_to(prlimit or "")
    monkeypatch.setenv("PATH", f"{broken.parent}:/bin")
    server = make_server(image)
    with pytest.raises(AgentError, match="no such luck"):
        storage.create_disks(server)
    assert list((tmp_path / "instances" / server.uuid).iterdir()) == []


class TestConsole:
    @pytest.fixture
    def instance(self, storage: Qcow2Storage) -> str:
        server = make_server()
        storage.create_disks(server)
        return server.uuid

    def write(self, storage: Qcow2Storage, instance: str, content: bytes) -> None:
        Path(storage.console_log_path(instance)).write_bytes(content)

    def test_the_last_lines_are_counted_as_nova_counts(self, storage: Qcow2Storage, instance: str) -> None:
        self.write(storage, instance, b"one\ntwo\nthree\n")
        assert storage.read_console(instance, -1) == "one\ntwo\nthree\n"
        assert storage.read_console(instance, 2) == "three\n"
        assert storage.read_console(instance, 100) == "one\ntwo\nthree\n"
        assert storage.read_console(instance, 0) == ""

    def test_nothing_that_moves_a_cursor_is_shown(self, storage: Qcow2Storage, instance: str) -> None:
        self.write(storage, instance, b"\x1b[2J\x1b[1;31mred\x1b[0m\ttab\r\n\x07\x00\xff\xc2\x9b ok\n")
        assert storage.read_console(instance, -1) == "red\ttab\n\ufffd ok\n"

    def test_only_the_end_of_a_long_log_is_read(self, storage: Qcow2Storage, instance: str) -> None:
        self.write(storage, instance, b"x" * (3 * console_log.READ_BYTES) + b"\nend")
        shown = storage.read_console(instance, -1)
        assert len(shown) == console_log.READ_BYTES
        assert shown.endswith("\nend")

    def test_an_endless_log_is_cut_when_the_guest_is_started(self, storage: Qcow2Storage, instance: str) -> None:
        self.write(storage, instance, b"x" * (console_log.KEEP_BYTES + 1) + b"\nend")
        storage.create_disks(make_server(uuid=instance))
        assert Path(storage.console_log_path(instance)).stat().st_size == console_log.READ_BYTES
        assert storage.read_console(instance, 1) == "end"

    def test_it_goes_with_the_disks(self, storage: Qcow2Storage, instance: str) -> None:
        self.write(storage, instance, b"secret")
        storage.delete_disks(instance)
        assert storage.read_console(instance, -1) == ""
        assert storage.read_console(str(uuid.uuid4()), -1) == ""


def test_what_killed_agents_left_half_made_is_removed(storage: Qcow2Storage, image: ImageSpec, tmp_path: Path) -> None:
    server = make_server(image, config_drive=True)
    (tmp_path / "instances" / server.uuid / "config-drive-abc").mkdir(parents=True)
    storage.create_disks(server)
    storage.set_aside(server.uuid)
    left = [tmp_path / "aside" / server.uuid / "disk.abc.flat", tmp_path / "images_cache" / ".abc.part"]
    for path in left:
        path.write_bytes(b"x")
    storage.sweep()
    assert all(path.exists() for path in left), "somebody may still be at it"
    for path in left:
        os.utime(path, (1, 1))
    storage.sweep()
    assert sorted(path.name for path in (tmp_path / "aside" / server.uuid).iterdir()) == ["disk", "disk.config"]
    assert not left[1].exists()
