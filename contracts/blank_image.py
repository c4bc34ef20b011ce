"""A disk image without content, made without any tool: what fake hosts boot.

Source: https://www.qemu.org/docs/master/interop/qcow2.html
"""

import struct

_CLUSTER = 65536


def blank_qcow2(virtual_size_bytes: int) -> bytes:
    """Return a valid qcow2 (version 2) of the given virtual size: header, refcounts, an empty L1 table."""
    entries = -(-virtual_size_bytes // (_CLUSTER * _CLUSTER // 8))
    header = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, virtual_size_bytes, 0, entries, 3 * _CLUSTER, _CLUSTER, 1, 0, 0
    )
    refcount_table = struct.pack(">Q", 2 * _CLUSTER)
    refcounts = struct.pack(">4H", 1, 1, 1, 1)
    l1_table = b"\0" * (8 * entries)
    return b"".join(part.ljust(_CLUSTER, b"\0") for part in (header, refcount_table, refcounts, l1_table))
