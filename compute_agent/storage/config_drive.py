"""The config drive: an ISO 9660 volume labelled `config-2` that tells a guest who it is without a network.

Layout: https://docs.openstack.org/nova/latest/user/metadata.html
"""

import base64
import binascii
import shutil
import tempfile
from pathlib import Path

import msgspec

from compute_agent.network_data import network_data
from compute_agent.storage.tools import run_tool
from contracts.compute import ServerSpec

_VERSIONS = ("2018-08-27", "latest")  # the newest that cloud-init asks for by its date
_LABEL = "config-2"
_PREFIX = "config-drive-"


def build_config_drive(server: ServerSpec, path: Path) -> None:
    """Write the server's config drive to `path`, whole or not at all.

    Raises:
        HostDiskFull
        AgentError: the image could not be made.
    """
    draft = path.with_name(f"{path.name}.part")
    for stale in path.parent.glob(f"{_PREFIX}*"):  # of an agent that was killed
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=path.parent) as folder:
        for version in _VERSIONS:
            target = Path(folder) / "openstack" / version
            target.mkdir(parents=True)
            for name, content in _files(server).items():
                (target / name).write_bytes(content)
        run_tool("genisoimage", "-quiet", "-o", str(draft), "-V", _LABEL, "-l", "-J", "-r", "-allow-lowercase",
                 "-allow-multidot", folder)  # fmt: skip
    draft.rename(path)


def decode_user_data(user_data: str) -> bytes:
    """Return the bytes that the tenant meant; text that is no base64 is taken as it is."""
    compact = "".join(user_data.split())
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except binascii.Error:
        return user_data.encode()


def _files(server: ServerSpec) -> dict[str, bytes]:
    files = {
        "meta_data.json": msgspec.json.encode(server.metadata),
        "network_data.json": msgspec.json.encode(network_data(server.ports)),
        "vendor_data.json": b"{}",
    }
    if server.user_data:
        files["user_data"] = decode_user_data(server.user_data)
    return files
