"""Honest images are read right, hostile ones are refused with a sentence."""

import io
import struct
import subprocess
from pathlib import Path
from shutil import which

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.image_format import HEADER_BYTES, MAX_VIRTUAL_SIZE_BYTES, ImageFacts, UnsafeImage, inspect_header

MIB = 1024 * 1024


def qcow2(
    *,
    version: int = 3,
    backing_offset: int = 0,
    cluster_bits: int = 16,
    size: int = 64 * MIB,
    crypt_method: int = 0,
    l1_size: int = 1,
    l1_offset: int = 0x30000,
    snapshots: int = 0,
    incompatible: int = 0,
    refcount_order: int = 4,
    header_length: int = 104,
    extensions: bytes = b"",
) -> bytes:
    """Build the beginning of a qcow2 image, padded as a file would be."""
    header = struct.pack(
        ">4sIQIIQIIQQIIQ",
        b"QFI\xfb",
        version,
        backing_offset,
        0,
        cluster_bits,
        size,
        crypt_method,
        l1_size,
        l1_offset,
        0x10000,
        1,
        snapshots,
        0,
    )
    if version == 3:
        header += struct.pack(">QQQII", incompatible, 0, 0, refcount_order, header_length)
    return (header + extensions).ljust(HEADER_BYTES, b"\0")


def extension(kind: int, content: bytes, stated_length: int | None = None) -> bytes:
    length = len(content) if stated_length is None else stated_length
    return struct.pack(">II", kind, length) + content.ljust(-(-len(content) // 8) * 8, b"\0")


HOSTILE_QCOW2 = {
    "backing file": (qcow2(backing_offset=0x200), "backing file"),
    "backing file in version 2": (qcow2(version=2, backing_offset=0x48), "backing file"),
    "data file bit": (qcow2(incompatible=0b100), "another file"),
    "data file name without the bit": (qcow2(extensions=extension(0x44415441, b"/etc/shadow")), "another file"),
    "unknown incompatible bit": (qcow2(incompatible=1 << 40), "unknown"),
    "corrupt bit": (qcow2(incompatible=0b10), "corrupt"),
    "aes": (qcow2(crypt_method=1), "encrypted"),
    "luks": (qcow2(crypt_method=2), "encrypted"),
    "luks header without the method": (qcow2(extensions=extension(0x0537BE77, b"\0" * 16)), "encrypted"),
    "version 1": (qcow2(version=1), "Version 1"),
    "version 4": (qcow2(version=4), "Version 4"),
    "tiny clusters": (qcow2(cluster_bits=8), "cluster size"),
    "giant clusters": (qcow2(cluster_bits=63), "cluster size"),
    "no size": (qcow2(size=0), "virtual size"),
    "absurd size": (qcow2(size=MAX_VIRTUAL_SIZE_BYTES + 512, l1_size=2**22), "virtual size"),
    "table too small for the size": (qcow2(size=2**40, l1_size=1), "first table"),
    "table absurdly large": (qcow2(l1_size=2**31), "first table"),
    "table at zero": (qcow2(l1_offset=0), "impossible place"),
    "table not aligned": (qcow2(l1_offset=0x30001), "impossible place"),
    "snapshots without end": (qcow2(snapshots=2**31), "snapshots"),
    "header length zero": (qcow2(header_length=0), "impossible length"),
    "header length absurd": (qcow2(header_length=2**31), "impossible length"),
    "reference counts": (qcow2(refcount_order=60), "reference counts"),
    "extension beyond the header": (qcow2(extensions=extension(1, b"x", 2**32 - 1)), "beyond the header"),
    "extensions without end": (qcow2(extensions=extension(0x77, b"") * 2000), "too many"),
    "cut in the first fields": (qcow2()[:40], "cut short"),
    "cut in the fields of version 3": (qcow2()[:80], "cut short"),
    "cut before its tables": (qcow2()[:4096], "cut short"),
    "raw bytes": (b"\x55" * HEADER_BYTES, "does not begin like one"),
    "a vmdk": (b"KDMV".ljust(1024, b"\0"), "vmdk"),
    "gzip": (b"\x1f\x8b\x08".ljust(1024, b"\0"), "gzip"),
    "an iso": ((b"\0" * 0x8001 + b"CD001").ljust(HEADER_BYTES, b"\0"), "iso"),
    "nothing": (b"", "empty"),
}


@pytest.mark.parametrize(("header", "reason"), HOSTILE_QCOW2.values(), ids=HOSTILE_QCOW2.keys())
def test_a_hostile_qcow2_is_refused_with_its_reason(header: bytes, reason: str) -> None:
    with pytest.raises(UnsafeImage, match=reason):
        inspect_header(header, "qcow2")


HONEST_QCOW2 = {
    "version 2": qcow2(version=2),
    "version 3": qcow2(),
    "lazy reference counts, compression type, extended tables": qcow2(incompatible=0b11001, header_length=112),
    "feature names": qcow2(extensions=extension(0x6803F857, b"x" * 384) + extension(0, b"")),
    "internal snapshots": qcow2(snapshots=3),
}


@pytest.mark.parametrize("header", HONEST_QCOW2.values(), ids=HONEST_QCOW2.keys())
def test_an_honest_qcow2_tells_its_virtual_size(header: bytes) -> None:
    assert inspect_header(header, "qcow2") == ImageFacts("qcow2", 64 * MIB)


DISGUISED_AS_RAW = {
    "qcow2": qcow2(),
    "qed": b"QED\0" + b"\0" * 1000,
    "vmdk": b"KDMV" + b"\0" * 1000,
    "vmdk text": b'# Disk DescriptorFile\nversion=1\nRW 1 FLAT "/etc/shadow" 0\n',
    "vmdk text without its title": b'\n # hello\n\nVersion=1\nRW 1 FLAT "/etc/shadow" 0\n',
    "vdi": b"<<< VirtualBox".ljust(64, b"\0") + b"\x7f\x10\xda\xbe" + b"\0" * 1000,
    "vhd": b"conectix" + b"\0" * 1000,
    "vhd by its footer": b"\0" * 4096 + b"conectix".ljust(512, b"\0"),
    "vhdx": b"vhdxfile" + b"\0" * 1000,
    "luks": b"LUKS\xba\xbe" + b"\0" * 1000,
    "parallels": b"WithouFreSpacExt" + b"\0" * 1000,
    "dmg": b"\0" * 4096 + b"koly".ljust(512, b"\0"),
    "iso": (b"\0" * 0x8001 + b"CD001").ljust(HEADER_BYTES, b"\0"),
}


@pytest.mark.parametrize("content", DISGUISED_AS_RAW.values(), ids=DISGUISED_AS_RAW.keys())
def test_another_format_is_refused_as_raw(content: bytes) -> None:
    with pytest.raises(UnsafeImage, match="declared as raw"):
        inspect_header(io.BytesIO(content), "raw")


def test_a_raw_disk_with_a_boot_record_is_taken_for_what_it_is() -> None:
    disk = (b"\xeb\x63".ljust(510, b"\0") + b"\x55\xaaEFI PART").ljust(3 * MIB, b"\0")
    assert inspect_header(io.BytesIO(disk), "raw") == ImageFacts("raw", 3 * MIB)


def test_a_cd_that_is_also_a_disk_serves_as_raw() -> None:
    hybrid = (b"\0" * 510 + b"\x55\xaa").ljust(0x8001, b"\0") + b"CD001"
    assert inspect_header(hybrid, "raw").format == "raw"


def test_a_raw_image_is_as_large_as_its_file_says() -> None:
    assert inspect_header(b"\0" * HEADER_BYTES, "raw", size_bytes=5 * MIB).virtual_size_bytes == 5 * MIB


@pytest.mark.parametrize("declared", ["iso", "vmdk", "vhd", "", "QCOW2", "qcow2\n"])
def test_a_format_that_cannot_be_booted_is_refused(declared: str) -> None:
    with pytest.raises(UnsafeImage, match="cannot be booted here"):
        inspect_header(b"\0" * 512, declared)


class OneByteStream(io.RawIOBase):
    """A stream that cannot seek and gives little at a time."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._content.read(min(size, 1000))


def test_a_stream_that_gives_little_at_a_time_is_read_on() -> None:
    assert inspect_header(OneByteStream(qcow2()), "qcow2").virtual_size_bytes == 64 * MIB


def test_a_stream_is_left_where_it_stood() -> None:
    stream = io.BytesIO(b"junk" + qcow2() + b"\0" * 0x30000)
    stream.seek(4)
    inspect_header(stream, "qcow2")
    assert stream.tell() == 4


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=400), declared=st.sampled_from(["qcow2", "raw"]), is_marked=st.booleans())
def test_any_bytes_are_either_read_or_refused(body: bytes, declared: str, is_marked: bool) -> None:
    try:
        facts = inspect_header((b"QFI\xfb\0\0\0\3" if is_marked else b"") + body, declared)
    except UnsafeImage:
        return
    assert 0 < facts.virtual_size_bytes <= MAX_VIRTUAL_SIZE_BYTES


@pytest.mark.skipif(which("qemu-img") is None, reason="qemu-img is not installed")
@pytest.mark.parametrize("options", ["compat=0.10", "compat=1.1", "cluster_size=512", "extended_l2=on"])
def test_images_of_qemu_img_are_read_as_qemu_made_them(tmp_path: Path, options: str) -> None:
    path = tmp_path / "disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-o", options, str(path), "40M"], check=True)
    with path.open("rb") as stream:
        assert inspect_header(stream, "qcow2") == ImageFacts("qcow2", 40 * MIB)
