"""Two hosts without a hypervisor: namespaces on one wire, each with a network driver and guests of its own."""

import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from compute_agent.network import namespaces
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.underlay import Underlay
from contracts.compute import NetworkSpec, PortSpec
from contracts.inspection import PortSeen
from contracts.networks import Neighbour, NeighboursSpec, SegmentSpec
from tests.integration.network.documents import OPEN, ControlPlane, looked_at
from tests.integration.network.guests import Guest, run
from tests.unit.compute_agent.orders import new_id

Result = TypeVar("Result")
WIRE, OUTSIDE = "wire0", "ext0"
FIRST, SECOND = "192.0.2.1", "192.0.2.2"
VXLAN = SegmentSpec(network_type="vxlan", mtu=1400, segmentation_id=77)
_HEADERS = 20 + 8 + 8  # of IP, UDP and VXLAN
_ALL_PROTOCOLS = 3
_PATIENCE_SECONDS = 30.0


class _There:
    """A driver whose methods are called in a namespace."""

    def __init__(self, host: "Host") -> None:
        self._host = host

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._host.local, name)
        return lambda *args, **kwargs: self._host.do(lambda: method(*args, **kwargs))


@dataclass
class Host:
    """A host. `tunnel_ip` is its address in the wire."""

    name: str
    tunnel_ip: str
    folder: Path
    underlay: Underlay
    guests: list[Guest] = field(default_factory=list)

    def __post_init__(self) -> None:
        run("ip", "netns", "add", self.name)
        self.run("ip", "link", "set", "lo", "up")
        self.local = LinuxBridgeNetwork(self.folder / self.name, self.underlay)
        self.driver: Any = _There(self)
        self.control = ControlPlane(self.driver)
        self.open = ""

    def do(self, work: Callable[[], Result]) -> Result:
        return namespaces.run_in(self.name, work)

    def run(self, *argv: str, check: bool = True) -> str:
        return self.do(lambda: run(*argv, check=check)).stdout

    def restart(self) -> None:
        """Let another agent take over."""
        self.local = LinuxBridgeNetwork(self.folder / self.name, self.underlay)
        self.driver.restore()

    def boot(self, spec: PortSpec, segment: SegmentSpec) -> Guest:
        """Have a guest with its address, of a network that the host is told of, open to everything."""
        guest = Guest(spec, self.folder)
        self.guests.append(guest)
        self.do(guest.start)
        subnet = spec.network.subnets[0]
        length = subnet.cidr.partition("/")[2]
        for fixed in spec.fixed_ips:
            family = ("-6",) if ":" in fixed.ip_address else ()
            mask = "64" if family else length
            flags = ("nodad",) if family else ()
            guest.do("ip", *family, "addr", "add", f"{fixed.ip_address}/{mask}", "dev", "eth0", *flags)
        self.open = self.open or self.control.group(*OPEN)
        self.control.put(spec, self.open)
        self.control.tell(networks={spec.network.id: segment})
        self.driver.plug(new_id(), [spec], {}, "")
        return guest

    def meet(self, network: NetworkSpec, *others: tuple[PortSpec, str], is_router: bool = False) -> None:
        """Tell of the network's ports on other hosts, with the addresses that these are reached at."""
        ports = [
            Neighbour(
                mac_address=spec.mac_address, addresses=[one.ip_address for one in spec.fixed_ips], tunnel_ip=address,
                is_router=is_router,
            )
            for spec, address in others
        ]
        self.control.tell(neighbours={network.id: NeighboursSpec(ports=ports)})

    def unplug(self, guest: Guest) -> None:
        (owner,) = [uuid for id, uuid in self.driver.plugged_ports().items() if id == guest.port.id]
        self.driver.unplug(owner)

    def look(self, guest: Guest) -> PortSeen:
        return looked_at(self.driver, guest.port)

    def links(self, prefix: str) -> dict[str, int]:
        """Return {name: index} of the links whose names begin so."""
        rows = (line.split(":") for line in self.run("ip", "-o", "link", "show").splitlines())
        found = {row[1].strip().partition("@")[0]: int(row[0]) for row in rows}
        return {name: index for name, index in found.items() if name.startswith(prefix)}

    def stop(self) -> None:
        self.driver.purge()
        for guest in self.guests:
            self.do(guest.stop)
        run("ip", "netns", "del", self.name)


def make_hosts(
    tmp_path: Path, addresses: tuple[str, str] = (FIRST, SECOND), length: int = 24, wires: dict[str, str] | None = None
) -> list[Host]:
    """Return two hosts at the ends of a wire; who makes them stops them."""
    hosts = [
        Host(f"nhost-{name}", address, tmp_path, Underlay(address, wires or {}))
        for name, address in zip("ab", addresses, strict=True)
    ]
    connect(*hosts, length=length)
    return hosts


def connect(first: Host, second: Host, name: str = WIRE, length: int = 24) -> None:
    """Put a wire between two hosts."""
    run("ip", "link", "add", name, "netns", first.name, "type", "veth", "peer", "name", name, "netns", second.name)
    for host in (first, second):
        if name == WIRE:
            flags = ("nodad",) if ":" in host.tunnel_ip else ()
            host.run("ip", "addr", "add", f"{host.tunnel_ip}/{length}", "dev", name, *flags)
        host.run("ip", "link", "set", name, "up")


class Frame(NamedTuple):
    """What a frame begins with."""

    to: bytes
    source: bytes
    kind: int
    content: bytes

    @property
    def is_for_many(self) -> bool:
        return bool(self.to[0] & 1)


def contents(frames: Iterable[Frame]) -> bytes:
    return b"".join(one.content for one in frames)


def read_frame(content: bytes) -> Frame:
    return Frame(content[:6], content[6:12], struct.unpack("!H", content[12:14])[0], content[14:])


class Tap:
    """Hears all that passes a link, from when it is made."""

    def __init__(self, namespace: str, link: str) -> None:
        def open_socket() -> socket.socket:
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
            made.bind((link, 0))
            return made

        self._socket = namespaces.run_in(namespace, open_socket)

    def frames(self) -> list[Frame]:
        """Return what was heard until a moment ago."""
        time.sleep(0.2)
        self._socket.setblocking(False)
        found = []
        while True:
            try:
                found.append(read_frame(self._socket.recv(65_535)))
            except BlockingIOError:
                return found

    def until(self, marker: bytes) -> list[Frame]:
        """Return what was heard up to a frame with this in it, which is waited for."""
        self._socket.settimeout(_PATIENCE_SECONDS)
        found: list[Frame] = []
        while not found or marker not in found[-1].content:
            found.append(read_frame(self._socket.recv(65_535)))
        return found

    def close(self) -> None:
        self._socket.close()


def tunnelled(frames: Iterable[Frame]) -> list[Frame]:
    """Return the frames that were within those for a tunnel."""
    outer = [one for one in frames if one.kind == 0x0800 and one.content[9] == socket.IPPROTO_UDP]
    to_tunnels = [one for one in outer if one.content[22:24] == struct.pack("!H", 4789)]
    return [read_frame(one.content[_HEADERS:]) for one in to_tunnels]
