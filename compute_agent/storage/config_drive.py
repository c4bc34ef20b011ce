"""The config drive: an ISO 9660 volume labelled `config-2` that tells a guest who it is without a network.

Layout: https://docs.openstack.org/nova/latest/user/metadata.html
"""

import base64
import binascii
import ipaddress
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from compute_agent.storage.tools import run_tool
from contracts.compute import FixedIpSpec, PortSpec, ServerSpec, SubnetSpec

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


def network_data(ports: list[PortSpec]) -> dict[str, list[dict[str, Any]]]:
    """Return the `network_data.json` document: what to configure on which card."""
    subnets = {subnet.id: subnet for port in ports for subnet in port.network.subnets}
    servers = [address for subnet in subnets.values() for address in subnet.dns_nameservers]
    addresses = [(port, address) for port in ports for address in port.fixed_ips if address.subnet_id in subnets]
    return {
        "links": [_link(port) for port in ports],
        "networks": [
            _network(f"network{index}", port, address, subnets[address.subnet_id])
            for index, (port, address) in enumerate(addresses)
        ],
        "services": [{"type": "dns", "address": address} for address in dict.fromkeys(servers)],
    }


def _files(server: ServerSpec) -> dict[str, bytes]:
    files = {
        "meta_data.json": msgspec.json.encode(server.metadata),
        "network_data.json": msgspec.json.encode(network_data(server.ports)),
        "vendor_data.json": b"{}",
    }
    if server.user_data:
        files["user_data"] = decode_user_data(server.user_data)
    return files


def _link(port: PortSpec) -> dict[str, Any]:
    return {
        "id": f"tap{port.id[:11]}",
        "vif_id": port.id,
        "type": "bridge",
        "mtu": port.network.mtu,
        "ethernet_mac_address": port.mac_address,
    }


def _network(name: str, port: PortSpec, address: FixedIpSpec, subnet: SubnetSpec) -> dict[str, Any]:
    network = {"id": name, "link": f"tap{port.id[:11]}", "network_id": port.network.id}
    if subnet.dhcp_enabled:
        return {**network, "type": f"ipv{subnet.ip_version}_dhcp"}
    routes = [(route.destination, route.nexthop) for route in subnet.host_routes]
    if subnet.gateway_ip:
        routes.insert(0, ("0.0.0.0/0" if subnet.ip_version == 4 else "::/0", subnet.gateway_ip))
    return {
        **network,
        "type": f"ipv{subnet.ip_version}",
        "ip_address": address.ip_address,
        "netmask": str(ipaddress.ip_network(subnet.cidr, strict=False).netmask),
        "routes": [_route(destination, gateway) for destination, gateway in routes],
    }


def _route(destination: str, gateway: str) -> dict[str, str]:
    network = ipaddress.ip_network(destination, strict=False)
    return {"network": str(network.network_address), "netmask": str(network.netmask), "gateway": gateway}
