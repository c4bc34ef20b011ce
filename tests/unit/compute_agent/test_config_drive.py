"""A config drive says what the metadata service would say."""

import base64
import ipaddress
import json
import subprocess
from pathlib import Path

import pytest

from compute_agent.storage.config_drive import build_config_drive, decode_user_data, network_data
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec, RouteSpec, SubnetSpec
from tests.contracts.storage_suite import make_server

SCRIPT = b"#!/bin/sh\necho hello\n"


def a_port(**subnet: object) -> PortSpec:
    values = {"id": "s1", "cidr": "10.0.0.0/24", "gateway_ip": "10.0.0.1", "dns_nameservers": ["9.9.9.9"], **subnet}
    network = NetworkSpec(id="n1", mtu=1450, subnets=[SubnetSpec(**values)])  # type: ignore[arg-type]
    return PortSpec(
        id="c3f0c2f3-0000-4000-8000-000000000001",
        mac_address="fa:16:3e:00:00:01",
        network=network,
        fixed_ips=[FixedIpSpec(subnet_id="s1", ip_address="10.0.0.7")],
    )


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


def test_a_subnet_with_dhcp_is_left_to_dhcp() -> None:
    document = network_data([a_port()])
    assert document["networks"] == [
        {"id": "network0", "link": "tapc3f0c2f3-00", "network_id": "n1", "type": "ipv4_dhcp"}
    ]
    assert document["services"] == [{"type": "dns", "address": "9.9.9.9"}]


def test_a_subnet_without_dhcp_is_spelled_out() -> None:
    routes = [RouteSpec(destination="192.168.0.0/16", nexthop="10.0.0.2")]
    (network,) = network_data([a_port(dhcp_enabled=False, host_routes=routes)])["networks"]
    assert (network["type"], network["ip_address"], network["netmask"]) == ("ipv4", "10.0.0.7", "255.255.255.0")
    default = str(ipaddress.IPv4Address(0))
    assert network["routes"] == [
        {"network": default, "netmask": default, "gateway": "10.0.0.1"},
        {"network": "192.168.0.0", "netmask": "255.255.0.0", "gateway": "10.0.0.2"},
    ]
