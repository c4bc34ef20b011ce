"""What is plugged on this host, on disk: one small file per port, in its network's folder.

It is what shall be. The kernel is what is; after a reboot of the host this folder is all that is left.
"""

import ipaddress
import logging
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from compute_agent.errors import VifPlugFailed
from compute_agent.files import replace_file
from compute_agent.network.told import check_addresses, check_options, check_subnet
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec
from contracts.networks import GuardSpec, HostNetworks, SubnetSpec

log = logging.getLogger(__name__)

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SMALLEST_MTU, _LARGEST_MTU = 68, 65_535


class PluggedPort(msgspec.Struct, frozen=True):
    """A port and the instance that it belongs to; checked, so that its values may reach files and rules."""

    instance_uuid: str
    spec: PortSpec

    def addresses(self, version: int) -> list[str]:
        """Return the port's addresses of an IP version."""
        found = (ipaddress.ip_address(one.ip_address) for one in self.spec.fixed_ips)
        return [str(one) for one in found if one.version == version]

    def subnets(self) -> Iterator[tuple[SubnetSpec, str]]:
        """Return the IPv4 subnets that the port has an address in, with that address, the first of each."""
        by_id = {subnet.id: subnet for subnet in self.spec.network.subnets}
        seen: set[str] = set()
        for fixed in self.spec.fixed_ips:
            subnet = by_id.get(fixed.subnet_id)
            if subnet is not None and subnet.ip_version == 4 and subnet.id not in seen:
                seen.add(subnet.id)
                yield subnet, fixed.ip_address


def check(instance_uuid: str, spec: PortSpec) -> PluggedPort:
    """Return the port, if all of it that becomes a name, a file or a rule has the form of what it says to be.

    Raises:
        VifPlugFailed: it has not.
    """
    ids = [instance_uuid, spec.id, spec.network.id]
    try:
        for subnet in spec.network.subnets:
            check_subnet(subnet)
        check_addresses([fixed.ip_address for fixed in spec.fixed_ips])
        check_options(spec.dhcp_options)
    except ValueError as exc:
        raise VifPlugFailed(f"port {spec.id}: {exc}") from exc
    if not all(_ID.fullmatch(one) for one in ids):
        raise VifPlugFailed(f"port {spec.id}: an id is not a uuid in canonical form")
    if not _MAC.fullmatch(spec.mac_address):
        raise VifPlugFailed(f"port {spec.id}: {spec.mac_address!r} is not a MAC address in lower case")
    if not _SMALLEST_MTU <= spec.network.mtu <= _LARGEST_MTU:
        raise VifPlugFailed(f"port {spec.id}: {spec.network.mtu} is not an MTU")
    return PluggedPort(instance_uuid, spec)


def as_told(port: PluggedPort, document: HostNetworks) -> PluggedPort:
    """Return a port as the document describes it, which hears of every change; the order that plugged it did not.

    What the document does not know yet is as the order said.
    """
    spec, segment = port.spec, document.networks.get(port.spec.network.id)
    known = {one.id: one for one in (*spec.network.subnets, *(segment.subnets if segment else ()))}
    network = msgspec.structs.replace(spec.network, subnets=list(known.values()))
    guard = document.guards.get(spec.id)
    if guard is None:
        return PluggedPort(port.instance_uuid, msgspec.structs.replace(spec, network=network))
    return PluggedPort(port.instance_uuid, msgspec.structs.replace(
        spec, network=network, fixed_ips=_fixed_ips(spec, guard, known.values()), dhcp_options=guard.dhcp_options,
    ))  # fmt: skip


def _fixed_ips(spec: PortSpec, guard: GuardSpec, subnets: Collection[SubnetSpec]) -> list[FixedIpSpec]:
    """Return a port's addresses, each with its subnet; in the order that is there if they are the same."""
    held = {one.ip_address: one for one in spec.fixed_ips}
    if held.keys() == set(guard.addresses):
        return spec.fixed_ips
    return [held.get(address) or FixedIpSpec(subnet_id=_subnet_of(address, subnets), ip_address=address)
            for address in guard.addresses]  # fmt: skip


def _subnet_of(address: str, subnets: Collection[SubnetSpec]) -> str:
    """Return the id of the subnet that an address is of; empty for none that is known."""
    ip = ipaddress.ip_address(address)
    return next((one.id for one in subnets if ip in ipaddress.ip_network(one.cidr)), "")


class PortShelf:
    """The files. Whoever changes a network's ports holds that network's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def folder(self, network_id: str) -> Path:
        """Return the folder of a network; it may not exist yet."""
        return self._folder / network_id

    def put(self, port: PluggedPort) -> None:
        """Keep a port."""
        path = self._path(port.spec.network.id, port.spec.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(port), is_lasting=True)

    def drop(self, port: PluggedPort) -> None:
        """Forget a port."""
        self._path(port.spec.network.id, port.spec.id).unlink(missing_ok=True)

    def network_ids(self) -> list[str]:
        """Return the networks that have a folder."""
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir())

    def on_network(self, network_id: str) -> list[PluggedPort]:
        """Return the ports of a network, the latest last: its description of the network counts."""
        paths = sorted((self._folder / network_id / "ports").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [port for path in paths for port in _read(path)]

    def of_instance(self, instance_uuid: str) -> list[PluggedPort]:
        """Return the ports of an instance."""
        return [
            port
            for network_id in self.network_ids()
            for port in self.on_network(network_id)
            if port.instance_uuid == instance_uuid
        ]

    def _path(self, network_id: str, port_id: str) -> Path:
        return self._folder / network_id / "ports" / f"{port_id}.json"


def _read(path: Path) -> Iterator[PluggedPort]:
    """Return the port. A broken file is none: its instance's next start writes it anew, the other ports go on."""
    try:
        yield msgspec.json.decode(path.read_bytes(), type=PluggedPort)
    except msgspec.DecodeError as exc:
        log.warning("%s is broken and ignored: %s", path, exc)


def merged_network(ports: list[PluggedPort]) -> NetworkSpec:
    """Return the network as its latest port describes it, with the subnets that only older ports know."""
    latest = ports[-1].spec.network
    known = {subnet.id: subnet for port in ports for subnet in port.spec.network.subnets}
    return msgspec.structs.replace(latest, subnets=list(known.values()))
