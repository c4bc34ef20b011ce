"""One dnsmasq per network: fixed reservations only, its files made whole each time, its process known by its words.

It is a daemon of its own, so guests get their leases while the agent is away.
"""

import contextlib
import ipaddress
import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from compute_agent.errors import HostDiskFull, VifPlugFailed
from compute_agent.files import replace_file
from compute_agent.network import namespaces
from compute_agent.network.names import LEG
from compute_agent.network.ports import PluggedPort
from compute_agent.network.told import OPTIONS
from contracts.compute import NetworkSpec
from contracts.networks import RouteSpec, SubnetSpec

METADATA_ADDRESS = "169.254.169.254"
LEASE_SECONDS = 86_400

_STOP_SECONDS = 3.0
_RESOLV_CONF = Path("/etc/resolv.conf")


def served_subnets(network: NetworkSpec) -> list[SubnetSpec]:
    """Return the subnets that DHCP is answered for. IPv6 has none yet."""
    return [subnet for subnet in network.subnets if subnet.dhcp_enabled and subnet.ip_version == 4]


def hosts_text(ports: Iterable[PluggedPort]) -> str:
    """Return the reservations: a line for each port and subnet, tagged with the port's id."""
    return "".join(
        f"{port.spec.mac_address},set:{port.spec.id},{address}\n"
        for port in ports
        for subnet, address in port.subnets()
        if subnet.dhcp_enabled
    )


def reserved_ports(text: str) -> set[str]:
    """Return the ids of the ports that a reservations file names."""
    return {line.split(",")[1].removeprefix("set:") for line in text.splitlines() if line.count(",") == 2}


def reserved_addresses(text: str, mac_address: str) -> set[str]:
    """Return the addresses that a reservations file keeps for a MAC address."""
    rows = (line.split(",") for line in text.splitlines() if line.count(",") == 2)
    return {row[2] for row in rows if row[0] == mac_address}


def options_text(network: NetworkSpec, ports: Iterable[PluggedPort], fallback_dns: list[str]) -> str:
    """Return the options of each subnet: router, routes, name servers; and those of single ports."""
    lines: list[str] = []
    for subnet in served_subnets(network):
        servers = [one for one in subnet.dns_nameservers if ipaddress.ip_address(one).version == 4] or fallback_dns
        lines.append(_option(subnet, "option:router", subnet.gateway_ip))
        lines.append(_option(subnet, "121", _classless_routes(subnet)))
        lines.append(_option(subnet, "option:dns-server", ",".join(servers)))
    for port in ports:
        for name, value in sorted(port.spec.dhcp_options.items()):
            if name in OPTIONS:
                lines.append(f"tag:{port.spec.id},{OPTIONS[name]},{value}\n")
    return "".join(lines)


def _option(subnet: SubnetSpec, name: str, value: str) -> str:
    """Return an option's line; without a value it keeps dnsmasq from sending its own idea."""
    return f"tag:{_tag(subnet)},{name},{value}\n" if value else f"tag:{_tag(subnet)},{name}\n"


def _tag(subnet: SubnetSpec) -> str:
    return f"subnet-{subnet.id}"


def _classless_routes(subnet: SubnetSpec) -> str:
    """Return option 121 (RFC 3442) as bytes: dnsmasq would put its own address where a route has no next hop."""
    gateway = subnet.gateway_ip or "0.0.0.0"  # noqa: S104 - on the link
    routes = [*subnet.host_routes, RouteSpec(destination=f"{METADATA_ADDRESS}/32", nexthop=gateway)]
    if subnet.gateway_ip:
        routes.append(RouteSpec(destination="0.0.0.0/0", nexthop=subnet.gateway_ip))
    encoded = b"".join(_encode(route) for route in routes if ":" not in route.destination)
    return encoded.hex(":")


def _encode(route: RouteSpec) -> bytes:
    network = ipaddress.ip_network(route.destination)
    significant = (network.prefixlen + 7) // 8
    nexthop = ipaddress.ip_address(route.nexthop).packed
    return bytes([network.prefixlen]) + network.network_address.packed[:significant] + nexthop


def host_dns() -> list[str]:
    """Return the host's own name servers that a guest can reach too."""
    words = [line.split() for line in _RESOLV_CONF.read_text().splitlines()] if _RESOLV_CONF.exists() else []
    found = [parts[1] for parts in words if len(parts) == 2 and parts[0] == "nameserver"]
    return [one for one in found if _is_reachable_name_server(one)]


def _is_reachable_name_server(text: str) -> bool:
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(text)
        return address.version == 4 and not address.is_loopback
    return False


class Dnsmasq:
    """The DHCP server of one network.

    Args:
        folder: where its files are.
        namespace: the network namespace that it runs in.
        routed: gateways' addresses that are a router's, and not the namespace's.
    """

    def __init__(self, folder: Path, namespace: str, routed: Collection[str] = ()) -> None:
        self._folder = folder
        self._namespace = namespace
        self._routed = routed
        self._pid_file = folder / "dnsmasq.pid"
        self._hosts_file = folder / "dhcp.hosts"
        self._options_file = folder / "dhcp.options"

    def ensure(self, network: NetworkSpec, ports: list[PluggedPort]) -> None:
        """Have the server running with these reservations; one that has them all is left alone.

        Raises:
            VifPlugFailed, HostDiskFull: dnsmasq did not start.
        """
        if not served_subnets(network):
            self.stop()
            self._hosts_file.unlink(missing_ok=True)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        is_changed = False
        for path, text in self._files(network, ports).items():
            is_changed |= self._write(path, text)
        argv = self._argv(network)
        # Told to read its files again (SIGHUP), dnsmasq 2.90 crashes now and then; it also keeps the leases of ports
        # that are gone. A fresh one is there in milliseconds, and knows every lease from its reservations.
        if is_changed or self._running_argv() != argv:
            self.stop()
            self._start(argv)

    def is_as_wanted(self, network: NetworkSpec) -> bool:
        """Whether the server runs if the network wants one, as it wants it."""
        return self._running_argv() == (self._argv(network) if served_subnets(network) else [])

    def is_whole(self, network: NetworkSpec, ports: list[PluggedPort]) -> bool:
        """Whether it is as wanted, and tells these ports what it shall."""
        wanted = self._files(network, ports) if served_subnets(network) else {}
        return self.is_as_wanted(network) and all(self._read(path) == text for path, text in wanted.items())

    def stop(self) -> None:
        """Have it ended."""
        if self._signal(signal.SIGTERM):
            give_up_at = time.monotonic() + _STOP_SECONDS
            while self._running_argv() and time.monotonic() < give_up_at:
                time.sleep(0.01)
            self._signal(signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)

    def reservations(self) -> set[str]:
        """Return the ids of the ports that have a reservation."""
        return reserved_ports(self._read(self._hosts_file))

    def reserved_for(self, mac_address: str) -> set[str]:
        """Return the addresses that are kept for a MAC address."""
        return reserved_addresses(self._read(self._hosts_file), mac_address)

    def _files(self, network: NetworkSpec, ports: list[PluggedPort]) -> dict[Path, str]:
        """Return what its files shall say, in an order that no plug changes: another text is another server."""
        ports = sorted(ports, key=lambda port: port.spec.id)
        return {self._options_file: options_text(network, ports, host_dns()), self._hosts_file: hosts_text(ports)}

    def _argv(self, network: NetworkSpec) -> list[str]:
        argv = [
            "dnsmasq",
            "--conf-file=/dev/null",
            "--no-hosts",
            "--no-resolv",
            "--port=0",
            "--user=root",
            "--group=root",
            "--bind-interfaces",
            f"--interface={LEG}",
            "--except-interface=lo",
            f"--pid-file={self._pid_file}",
            f"--dhcp-hostsfile={self._hosts_file}",
            f"--dhcp-optsfile={self._options_file}",
            f"--dhcp-option-force=option:mtu,{network.mtu}",
            "--dhcp-authoritative",
            "--leasefile-ro",
            "--dhcp-lease-max=65536",
            f"--log-facility={self._folder / 'dnsmasq.log'}",
            "--quiet-dhcp",
        ]
        for subnet in served_subnets(network):
            cidr = ipaddress.ip_network(subnet.cidr)
            first = str(cidr.network_address)
            argv.append(f"--dhcp-range=set:{_tag(subnet)},{first},static,{cidr.netmask},{LEASE_SECONDS}s")
            if not subnet.gateway_ip or subnet.gateway_ip in self._routed:
                argv.append(f"--shared-network={LEG},{first}")  # it has no address there
        return argv

    def _start(self, argv: list[str]) -> None:
        def run() -> subprocess.CompletedProcess[str]:
            return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)

        result = namespaces.run_in(self._namespace, run)
        if result.returncode:
            kind = HostDiskFull if "No space left on device" in result.stderr else VifPlugFailed
            raise kind(f"dnsmasq: {result.stderr.strip()[:500]}")

    def _running_argv(self) -> list[str]:
        """Return the command line of our running server, else an empty list."""
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(self._pid_file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
            if f"--pid-file={self._pid_file}" in words:
                return words
        return []

    def _signal(self, number: signal.Signals) -> bool:
        """Send a signal to our server; return whether there was one."""
        if not self._running_argv():
            return False
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            os.kill(int(self._pid_file.read_text()), number)
        return True

    @staticmethod
    def _read(path: Path) -> str:
        return path.read_text() if path.exists() else ""

    def _write(self, path: Path, text: str) -> bool:
        if self._read(path) == text and path.exists():
            return False
        replace_file(path, text.encode())
        return True
