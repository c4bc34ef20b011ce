"""A config drive says what the metadata service would say."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from compute_agent.storage.config_drive import build_config_drive, decode_user_data
from tests.contracts.storage_suite import make_server
from tests.unit.compute_agent.test_network_data import a_port

SCRIPT = b"#!/bin/sh\necho hello\n"


def read(iso: Path, name: str) -> bytes:
    command = ["isoinfo", "-J", "-i", str(iso), "-x", f"/openstack/latest/{name}"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_a_drive_holds_metadata_user_data_and_network_under_its_label(tmp_path: Path) -> None:
    server = make_server(
        metadata={"uuid": "u", "hostname": "wéb"}, user_data=base64.b64encode(SCRIPT).decode(), ports=[a_port()]
    )
    build_config_drive(server, tmp_path / "disk.config")
    assert json.loads(read(tmp_path / "disk.config", "meta_data.json")) == {"uuid": "u", "hostname": "wéb"}
    assert read(tmp_path / "disk.config", "user_data") == SCRIPT
    assert json.loads(read(tmp_path / "disk.config", "network_data.json"))["links"][0]["mtu"] == 1450
    assert (tmp_path / "disk.config").read_bytes()[32808:32816] == b"config-2"
    assert [path.name for path in tmp_path.iterdir()] == ["disk.config"]


def test_without_user_data_there_is_no_such_file(tmp_path: Path) -> None:
    build_config_drive(make_server(), tmp_path / "disk.config")
    assert read(tmp_path / "disk.config", "user_data") == b""


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (base64.b64encode(SCRIPT).decode(), SCRIPT),
        (base64.encodebytes(SCRIPT * 9).decode(), SCRIPT * 9),
        (base64.b64encode(b"ab").decode().rstrip("="), b"ab"),
        ("#!/bin/sh\n", b"#!/bin/sh\n"),
        ("", b""),
    ],
)
def test_user_data_is_what_the_tenant_meant(sent: str, meant: bytes) -> None:
    assert decode_user_data(sent) == meant
