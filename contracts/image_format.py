"""What a disk image's first bytes say, read in pure Python.

Bytes from tenants are hostile: the format is the declared one or the image is refused, nothing is guessed, and no
tool that follows file names inside an image ever sees it first. The Image service asks at upload, the hosts ask again.
Field layouts: QEMU's docs/interop/qcow2.txt; signatures: the format's own documents and QEMU's block drivers.
"""

import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

HEADER_BYTES = 64 * 1024
"""How much of an image's beginning `inspect_header` looks at; give it that much, or the whole of a shorter file."""

MAX_VIRTUAL_SIZE_BYTES = 2**50
ACCEPTED_FORMATS = frozenset({"qcow2", "raw"})

_QCOW2_MAGIC = b"QFI\xfb"
_V2_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_V3_FIELDS = struct.Struct(">QQQII")
_MAX_L1_ENTRIES = 32 * 1024 * 1024 // 8
_MAX_SNAPSHOTS = 65536
_KNOWN_INCOMPATIBLE_BITS = 0b11001  # dirty, compression type, extended L2; the others are refused by name
_MAX_EXTENSIONS = 64


class UnsafeImage(ValueError):
    """The image is not what it is declared to be, or would make a host read something else. A sentence says which."""


@dataclass(frozen=True)
class ImageFacts:
    """What is certain about an image: its format and the size of the disk that the guest would see."""

    format: str
    virtual_size_bytes: int


@dataclass(frozen=True)
class _Signature:
    name: str
    offset: int
    magic: bytes
    is_refused_as_raw: bool = True


# Compressed files are named only to explain why something is no qcow2: as raw bytes they harm nobody.
_SIGNATURES = (
    _Signature("qcow2", 0, _QCOW2_MAGIC),
    _Signature("qed", 0, b"QED\0"),
    _Signature("vmdk", 0, b"KDMV"),
    _Signature("vmdk", 0, b"COWD"),
    _Signature("vdi", 64, b"\x7f\x10\xda\xbe"),
    _Signature("vhd", 0, b"conectix"),
    _Signature("vhdx", 0, b"vhdxfile"),
    _Signature("luks", 0, b"LUKS\xba\xbe"),
    _Signature("cow", 0, b"OOOM"),
    _Signature("parallels", 0, b"WithoutFreeSpace"),
    _Signature("parallels", 0, b"WithouFreSpacExt"),
    _Signature("bochs", 0, b"Bochs Virtual HD Image"),
    _Signature("cloop", 0, b"#!/bin/sh\n#V2.0 Format\n"),
    _Signature("gzip", 0, b"\x1f\x8b\x08", is_refused_as_raw=False),
    _Signature("xz", 0, b"\xfd7zXZ\0", is_refused_as_raw=False),
    _Signature("zstd", 0, b"\x28\xb5\x2f\xfd", is_refused_as_raw=False),
    _Signature("bzip2", 0, b"BZh", is_refused_as_raw=False),
)
_TRAILERS = {b"conectix": "vhd", b"koly": "dmg"}
_TRAILER_BYTES = 512
_ISO_MAGIC_OFFSET = 0x8001
_BOOT_MAGIC_OFFSET = 510

# Header extensions of qcow2 that lead out of the file or hide what is in it.
_REFUSED_EXTENSIONS = {
    0x44415441: "The qcow2 image keeps its data in another file.",
    0x0537BE77: "The qcow2 image is encrypted.",
}


def inspect_header(source: bytes | BinaryIO, declared_format: str, *, size_bytes: int | None = None) -> ImageFacts:
    """Return what the image's header says, or refuse the image.

    Args:
        source: the image's beginning (`HEADER_BYTES` of it; a shorter one is taken for all there is), or a stream
            that stands at it. A stream that can seek is looked at from both ends and left where it stood.
        declared_format: what the image is said to be: one of `ACCEPTED_FORMATS`.
        size_bytes: length of the whole file, when `source` does not hold it all. It is a raw image's virtual size.

    Raises:
        UnsafeImage: with a sentence for the person who made the image.
    """
    if declared_format not in ACCEPTED_FORMATS:
        raise UnsafeImage(f"Disk format {declared_format!r} cannot be booted here: convert the image to qcow2 or raw.")
    header, trailer, seen_bytes = _ends(source)
    if not header:
        raise UnsafeImage("The image is empty.")
    if declared_format == "raw":
        return _inspect_raw(header, trailer, seen_bytes if size_bytes is None else size_bytes)
    is_whole = seen_bytes != HEADER_BYTES
    return _inspect_qcow2(header, size_bytes or (seen_bytes if is_whole else MAX_VIRTUAL_SIZE_BYTES))


def recognise(header: bytes) -> str:
    """Return the name of the format whose signature `header` carries, or an empty string. For messages only."""
    for signature in _SIGNATURES:
        if _carries(header, signature):
            return signature.name
    if _is_vmdk_descriptor(header):
        return "vmdk"
    return "iso" if _is_pure_iso(header) else ""


def _ends(source: bytes | BinaryIO) -> tuple[bytes, bytes, int]:
    """Return (beginning, last 512 bytes or nothing, length as far as it can be known)."""
    if isinstance(source, bytes | bytearray | memoryview):
        whole = bytes(source)
        return whole[:HEADER_BYTES], whole[-_TRAILER_BYTES:], len(whole)
    if not source.seekable():
        header = _read_up_to(source, HEADER_BYTES)
        return header, b"", len(header)
    start = source.tell()
    try:
        header = _read_up_to(source, HEADER_BYTES)
        end = source.seek(0, os.SEEK_END)
        source.seek(max(start, end - _TRAILER_BYTES))
        return header, _read_up_to(source, _TRAILER_BYTES), end - start
    finally:
        source.seek(start)


def _read_up_to(stream: BinaryIO, count: int) -> bytes:
    """Read `count` bytes, or all there are: a socket may hand out less at a time."""
    collected = io.BytesIO()
    while (missing := count - collected.tell()) and (block := stream.read(missing)):
        collected.write(block)
    return collected.getvalue()


def _inspect_raw(header: bytes, trailer: bytes, length: int) -> ImageFacts:
    for signature in _SIGNATURES:
        if signature.is_refused_as_raw and _carries(header, signature):
            _refuse_as_raw(signature.name)
    if _is_vmdk_descriptor(header):
        _refuse_as_raw("vmdk")
    for magic, name in _TRAILERS.items():
        if trailer.startswith(magic):
            _refuse_as_raw(name)
    if _is_pure_iso(header):
        _refuse_as_raw("iso")
    if length > MAX_VIRTUAL_SIZE_BYTES:
        raise UnsafeImage("The raw image is larger than any disk that can be made here.")
    return ImageFacts("raw", length)


def _refuse_as_raw(name: str) -> NoReturn:
    raise UnsafeImage(f"The image is declared as raw but its bytes are those of {name}: declare its true format.")


def _carries(header: bytes, signature: _Signature) -> bool:
    return header.startswith(signature.magic, signature.offset)


def _is_pure_iso(header: bytes) -> bool:
    """Whether this is a CD only. One that also starts with a boot record can serve as a raw disk."""
    has_descriptor = header.startswith(b"CD001", _ISO_MAGIC_OFFSET)
    return has_descriptor and not header.startswith(b"\x55\xaa", _BOOT_MAGIC_OFFSET)


def _is_vmdk_descriptor(header: bytes) -> bool:
    """Whether QEMU would take this text for a VMDK descriptor, whose extents are file names of the author's choice."""
    for line in header[:4096].split(b"\n"):
        text = line.strip(b" \t\r")
        if text and not text.startswith(b"#"):
            return text.lower().startswith(b"version=")
        if text.lower().startswith(b"# disk descriptorfile"):
            return True
    return False


def _inspect_qcow2(header: bytes, length: int) -> ImageFacts:
    if not header.startswith(_QCOW2_MAGIC):
        found = recognise(header)
        suffix = f" but its bytes are those of {found}." if found else " but does not begin like one."
        raise UnsafeImage(f"The image is declared as qcow2{suffix}")
    if len(header) < _V2_HEADER.size:
        raise UnsafeImage("The qcow2 header is cut short.")
    fields = _V2_HEADER.unpack_from(header)
    version, backing_offset, cluster_bits, size, crypt_method = fields[1], fields[2], fields[4], fields[5], fields[6]
    _refuse_first(
        (version not in (2, 3), f"Version {version} of qcow2 is not supported: use version 2 or 3."),
        (backing_offset != 0, "The qcow2 image refers to a backing file: flatten it with qemu-img convert."),
        (crypt_method != 0, "The qcow2 image is encrypted."),
        (not 9 <= cluster_bits <= 21, "The qcow2 image's cluster size is out of bounds."),
        (not 0 < size <= MAX_VIRTUAL_SIZE_BYTES, "The qcow2 image's virtual size is zero or out of bounds."),
    )
    is_extended = version == 3 and _check_v3_fields(header, cluster_bits)
    _check_tables(fields, length, is_extended=is_extended)
    for kind, _ in _extensions(header, cluster_bits, version):
        if kind in _REFUSED_EXTENSIONS:
            raise UnsafeImage(_REFUSED_EXTENSIONS[kind])
    return ImageFacts("qcow2", size)


def _check_v3_fields(header: bytes, cluster_bits: int) -> bool:
    """Check what version 3 added; return whether the L2 entries are of the wide kind."""
    if len(header) < _V2_HEADER.size + _V3_FIELDS.size:
        raise UnsafeImage("The qcow2 header is cut short.")
    incompatible, _, _, refcount_order, header_length = _V3_FIELDS.unpack_from(header, _V2_HEADER.size)
    is_length_sane = 104 <= header_length <= min(1 << cluster_bits, 4096) and header_length % 8 == 0
    _refuse_first(
        (incompatible & 0b100 != 0, "The qcow2 image keeps its data in another file."),
        (incompatible & 0b10 != 0, "The qcow2 image is marked as corrupt: repair it with qemu-img check."),
        (incompatible & ~_KNOWN_INCOMPATIBLE_BITS != 0, "The qcow2 image uses features unknown here."),
        (refcount_order > 6, "The qcow2 image's reference counts are too wide."),
        (not is_length_sane, "The qcow2 header states an impossible length."),
    )
    return bool(incompatible & 0b10000)


def _check_tables(fields: tuple[int, ...], length: int, *, is_extended: bool) -> None:
    """Check that the mapping tables can describe the disk and begin inside the file."""
    cluster_bits, size, l1_size, l1_offset, refcount_offset = fields[4], fields[5], fields[7], fields[8], fields[9]
    entry_bytes = 16 if is_extended else 8
    per_l1_entry = (1 << cluster_bits) * ((1 << cluster_bits) // entry_bytes)
    needed = -(-size // per_l1_entry)
    is_placed = all(offset > 0 and offset % (1 << cluster_bits) == 0 for offset in (l1_offset, refcount_offset))
    _refuse_first(
        (not needed <= l1_size <= _MAX_L1_ENTRIES, "The qcow2 image's first table does not fit its size."),
        (not is_placed, "A table of the qcow2 image begins at an impossible place."),
        (max(l1_offset, refcount_offset) >= length, "The qcow2 image is cut short."),
        (fields[11] > _MAX_SNAPSHOTS, "The qcow2 image has too many snapshots."),
    )


def _extensions(header: bytes, cluster_bits: int, version: int) -> Iterator[tuple[int, bytes]]:
    """Yield each header extension as (type, content); refuse a list that leaves the first cluster or never ends."""
    end = min(1 << cluster_bits, HEADER_BYTES)
    position = _V2_HEADER.size if version == 2 else struct.unpack_from(">I", header, 100)[0]
    for _ in range(_MAX_EXTENSIONS):
        if position + 8 > end:
            return
        if position + 8 > len(header):
            raise UnsafeImage("The qcow2 header is cut short.")
        kind, size = struct.unpack_from(">II", header, position)
        if kind == 0:
            return
        position += 8
        if position + size > min(end, len(header)):
            raise UnsafeImage("A header extension of the qcow2 image reaches beyond the header.")
        yield kind, header[position : position + size]
        position += -(-size // 8) * 8
    raise UnsafeImage("The qcow2 image has too many header extensions.")


def _refuse_first(*findings: tuple[bool, str]) -> None:
    """Refuse the image with the sentence of the first finding that is true."""
    for is_wrong, sentence in findings:
        if is_wrong:
            raise UnsafeImage(sentence)
