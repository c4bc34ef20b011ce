"""Nothing gets into the image cache that was not checked, and nothing is fetched twice."""

import hashlib
import socket
import subprocess
import threading
from pathlib import Path

import msgspec
import pytest

from compute_agent.errors import AgentError, ImageCorrupt, ImageUnavailable
from compute_agent.storage.image_cache import ImageCache
from contracts.compute import ImageSpec
from tests.fixtures.image_server import ImageServer

RAW = b"\x55" * 300_000


@pytest.fixture
def cache(tmp_path: Path) -> ImageCache:
    return ImageCache(tmp_path / "cache", timeout_seconds=2)


def changed(image: ImageSpec, **changes: object) -> ImageSpec:
    return msgspec.structs.replace(image, **changes)


def files(tmp_path: Path) -> list[str]:
    """The cache's files but for the lock files, which hold nothing."""
    return [path.name for path in (tmp_path / "cache").glob("*") if not path.name.endswith(".lock")]


def test_an_image_is_kept_as_it_was_sent(cache: ImageCache, image_server: ImageServer) -> None:
    path = cache.ensure(image_server.image(RAW, disk_format="raw"))
    assert path.read_bytes() == RAW
    assert path.stat().st_mode & 0o222 == 0


def test_an_image_is_fetched_once_by_however_many_want_it(cache: ImageCache, image_server: ImageServer) -> None:
    image = image_server.image(RAW, disk_format="raw")
    threads = [threading.Thread(target=cache.ensure, args=(image,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(image_server.requests) == 1
    assert cache.ids() == [image.id]


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "sha512"])
def test_every_algorithm_that_glance_ever_used_is_checked(
    cache: ImageCache, image_server: ImageServer, algorithm: str
) -> None:
    image = changed(
        image_server.image(RAW, disk_format="raw"),
        checksum=hashlib.new(algorithm, RAW).hexdigest(),
        checksum_algorithm=algorithm,
    )
    assert cache.ensure(image).exists()


def test_wrong_bytes_are_refused_and_leave_nothing(
    cache: ImageCache, image_server: ImageServer, tmp_path: Path
) -> None:
    image = changed(image_server.image(RAW, disk_format="raw"), checksum="0" * 128)
    with pytest.raises(ImageCorrupt, match="checksum"):
        cache.ensure(image)
    assert files(tmp_path) == []


def test_more_bytes_than_announced_are_not_read_on(
    cache: ImageCache, image_server: ImageServer, tmp_path: Path
) -> None:
    image = changed(image_server.image(RAW, disk_format="raw"), size_bytes=len(RAW) - 1)
    with pytest.raises(ImageCorrupt, match="longer"):
        cache.ensure(image)
    assert files(tmp_path) == []


def test_a_transfer_that_breaks_off_is_no_image(cache: ImageCache, image_server: ImageServer, tmp_path: Path) -> None:
    image = changed(image_server.image(RAW, disk_format="raw"), url=image_server.serve(RAW, sent_bytes=len(RAW) // 2))
    with pytest.raises(ImageUnavailable):
        cache.ensure(image)
    assert files(tmp_path) == []


def test_a_missing_image_is_unavailable_and_its_signed_address_stays_untold(
    cache: ImageCache, image_server: ImageServer
) -> None:
    good = image_server.image(RAW, disk_format="raw")
    with pytest.raises(ImageUnavailable, match="404") as caught:
        cache.ensure(changed(good, url=good.url + "?signature=secret"))
    assert "secret" not in str(caught.value)


def test_a_server_that_is_silent_or_away_is_unavailable(cache: ImageCache, image_server: ImageServer) -> None:
    good = image_server.image(RAW, disk_format="raw")
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(ImageUnavailable):
            cache.ensure(changed(good, url=address))
        deaf.listen()
        with pytest.raises(ImageUnavailable):
            ImageCache(cache._folder, timeout_seconds=0.2).ensure(changed(good, url=address))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "/etc/passwd", ""])
def test_only_http_is_spoken(cache: ImageCache, image_server: ImageServer, url: str) -> None:
    with pytest.raises(ImageUnavailable, match="HTTP"):
        cache.ensure(changed(image_server.image(RAW, disk_format="raw"), url=url))


@pytest.mark.parametrize(
    "changes", [{"id": "../../etc/x"}, {"id": ""}, {"checksum": "../x"}, {"checksum_algorithm": "crc32"}]
)
def test_a_name_that_leads_elsewhere_is_refused(
    cache: ImageCache, image_server: ImageServer, changes: dict[str, str]
) -> None:
    with pytest.raises(AgentError):
        cache.ensure(changed(image_server.image(RAW, disk_format="raw"), **changes))
    assert image_server.requests == []


def test_an_image_with_a_backing_file_is_refused_and_leaves_nothing(
    cache: ImageCache, image_server: ImageServer, tmp_path: Path
) -> None:
    hostile = tmp_path / "hostile.qcow2"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", "/etc/shadow", "-F", "raw", str(hostile), "1M"]
    subprocess.run(command, check=True)
    with pytest.raises(ImageCorrupt, match="backing file"):
        cache.ensure(image_server.image(hostile.read_bytes()))
    assert files(tmp_path) == []


def test_an_image_of_another_size_than_recorded_is_refused(cache: ImageCache, image_server: ImageServer) -> None:
    with pytest.raises(ImageCorrupt, match="describes a disk of"):
        cache.ensure(image_server.image(RAW, disk_format="raw", virtual_size_bytes=len(RAW) + 1))


def test_a_format_is_what_was_declared_never_what_it_looks_like(
    cache: ImageCache, image_server: ImageServer, tmp_path: Path
) -> None:
    disk = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "1M"], check=True)
    with pytest.raises(ImageCorrupt, match="declared as raw"):
        cache.ensure(image_server.image(disk.read_bytes(), disk_format="raw"))


def test_what_a_killed_agent_left_half_done_is_done_again(
    cache: ImageCache, image_server: ImageServer, tmp_path: Path
) -> None:
    image = image_server.image(RAW, disk_format="raw")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / f".{image.id}.{image.checksum[:16]}.part").write_bytes(b"half")
    assert cache.ids() == []
    assert cache.ensure(image).read_bytes() == RAW
