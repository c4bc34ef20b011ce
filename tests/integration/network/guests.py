"""A guest without a hypervisor: a namespace on a cable that has the name of the port's tap, so every rule applies."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compute_agent.network.names import bridge_name, tap_name
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec
from contracts.networks import SubnetSpec
from tests.fixtures.ids import new_id
from tests.fixtures.patience import eventually

UDHCPC_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr flush dev eth0
ip addr add "$ip/${mask:-24}" dev eth0
[ -n "$mtu" ] && ip link set eth0 mtu "$mtu"
set -- $staticroutes
while [ $# -ge 2 ]; do
  if [ "$2" = 0.0.0.0 ]; then ip route replace "$1" dev eth0; else ip route replace "$1" via "$2" dev eth0; fi
  shift 2
done
for name in $ALSO; do eval 'more="$more|$'$name'"'; done
echo "$ip|$mtu|$router|$dns|$staticroutes$more" >"$RESULT"
"""


def run(*argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=check, timeout=30, **options)


def network(cidr: str = "10.99.0.0/24", **subnet: Any) -> NetworkSpec:
    first = cidr.rsplit(".", 1)[0]
    values = {"id": new_id(), "cidr": cidr, "gateway_ip": f"{first}.1", "dns_nameservers": ["192.0.2.53"], **subnet}
    return NetworkSpec(id=new_id(), mtu=1400, subnets=[SubnetSpec(**values)])


def port(on: NetworkSpec, address: str) -> PortSpec:
    id = new_id()
    mac = "fa:16:3e:" + ":".join(id[:6][i : i + 2] for i in (0, 2, 4))
    return PortSpec(
        id=id,
        mac_address=mac,
        network=on,
        fixed_ips=[FixedIpSpec(subnet_id=on.subnets[0].id, ip_address=address)],
    )


PING_SECONDS = 20.0
_START_SECONDS = 60.0


@dataclass
class Guest:
    """A namespace with an eth0 that has the port's MAC address. Make it before the port is plugged."""

    port: PortSpec
    folder: Path
    name: str = field(default_factory=lambda: f"ntest-{new_id()[:8]}")

    def start(self) -> None:
        tap = tap_name(self.port.id)
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", tap, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        self.do("ip", "link", "set", "eth0", "address", self.port.mac_address)
        self.do("ip", "link", "set", "lo", "up")
        self.do("ip", "link", "set", "eth0", "up")

    def stop(self) -> None:
        run("ip", "link", "del", tap_name(self.port.id), check=False)
        run("ip", "netns", "del", self.name, check=False)

    def do(self, *argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        return run("ip", "netns", "exec", self.name, *argv, check=check, **options)

    def dhcp(self, tries: int = 20, also: Sequence[str] = ()) -> list[str]:
        """Ask for a lease, once a second; return ip, mtu, router, dns, static routes and other options, or nothing."""
        script, result = self.folder / "udhcpc.sh", self.folder / f"{self.name}.lease"
        script.write_text(UDHCPC_SCRIPT)
        script.chmod(0o755)
        result.unlink(missing_ok=True)
        argv = ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", str(tries), "-T", "1", "-s", str(script)]
        argv += [word for name in ("mtu", "staticroutes", *also) for word in ("-O", name)]
        self.do("env", f"RESULT={result}", f"ALSO={' '.join(also)}", *argv, check=False)
        return result.read_text().strip().split("|") if result.exists() else []

    def static(self, cidr: str, gateway: str = "") -> None:
        self.do("ip", "addr", "add", cidr, "dev", "eth0")
        if gateway:
            self.do("ip", "route", "replace", "default", "via", gateway)

    def fetch(self, path: str, *options: str, seconds: int = 10) -> tuple[int, str]:
        """Return (status, body) of a request to the metadata address; status 0 when nobody answers in time."""
        url = f"http://169.254.169.254{path}"
        done = self.do("curl", "-s", "-m", str(seconds), "-w", "\n%{http_code}", *options, url, check=False)
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def wait_for_metadata(self) -> None:
        """Wait until the metadata service, which may be starting only, answers to this guest."""
        assert eventually(lambda: self.fetch("/")[0], _START_SECONDS), "nobody answers for metadata"

    def fetch_json(self, path: str) -> Any:
        status, body = self.fetch(path)
        assert status == 200, (status, body)
        return json.loads(body)

    def finds(self, address: str) -> bool:
        """Whether somebody beside it comes to say that an address is his, which no rule keeps from being asked.

        Then there is a way, and silence is somebody's will.
        """
        argv = ["busybox", "arping", "-f", "-q", "-c", "1", "-w", "1", "-I", "eth0", address]
        return eventually(lambda: self.do(*argv, check=False).returncode == 0, PING_SECONDS)

    def reaches(self, address: str, source: str = "", seconds: float = PING_SECONDS) -> bool:
        """Whether an address comes to answer: a port just plugged, or an address just taken, passes nothing yet."""
        options = ["-I", source] if source else []
        argv = ["busybox", "ping6" if ":" in address else "ping", "-c", "1", "-W", "1", *options, address]
        return eventually(lambda: self.do(*argv, check=False).returncode == 0, seconds)

    def misses(self, address: str, source: str = "") -> bool:
        """Whether an address does not answer; it means something where there is a way to it, or to another there."""
        return not self.reaches(address, source, seconds=0)


def bridge_exists(on: NetworkSpec) -> bool:
    return Path(f"/sys/class/net/{bridge_name(on.id)}").exists()
