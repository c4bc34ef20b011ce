"""What a host's own kernel pays: `python -m bench.network_kernel FOLDER`, as root; prints figures as JSON.

In network and mount namespaces of its own, with a tap for each port of the document that bench.network_costs left in
the folder. The whole of it is brought to the kernel, then one rule more, then an agent that starts looks at it all.
"""

import ctypes
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench.network_seeding import tunnel_ip
from bench.report import milliseconds
from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import tap_name
from compute_agent.network.underlay import Underlay
from contracts.compute import NetworkSpec, PortSpec
from contracts.networks import HostNetworks

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000
_COMMANDS = (
    ("mount", "--make-rprivate", "/"),
    ("mount", "-t", "sysfs", "sysfs", "/sys"),
    ("mount", "-t", "tmpfs", "tmpfs", "/run/netns"),
    ("ip", "link", "set", "lo", "up"),
    ("ip", "link", "add", "wire0", "type", "bridge"),
    ("ip", "addr", "add", f"{tunnel_ip(0)}/16", "dev", "wire0"),
    ("ip", "link", "set", "wire0", "up"),
)
_OWNER = "00000000-0000-4000-8000-{:012}"


def measure(folder: Path) -> dict[str, Any]:
    """Return the figures."""
    Path("/run/netns").mkdir(exist_ok=True)
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS | _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "no namespaces of its own")
    for command in _COMMANDS:
        subprocess.run(command, check=True)
    whole, rule = (msgspec.json.decode((folder / f"{one}.json").read_bytes(), type=HostNetworks)
                   for one in ("whole", "rule"))
    driver = LinuxBridgeNetwork(folder / "state", Underlay(tunnel_ip=tunnel_ip(0)))
    versions = itertools.count(1)
    news = itertools.cycle((rule, _without(rule, whole)))
    rules = (msgspec.structs.replace(one, version=next(versions)) for one in news)
    try:
        _plug(driver, whole)
        figures = {
            "whole": _cost(lambda: driver.apply(msgspec.structs.replace(whole, version=next(versions)))),
            "rule": _cost(lambda: driver.apply(next(rules)), times=5),
            "restart": _cost(driver.restore, times=3),
        }
    finally:
        driver.purge()
    return figures


def _plug(driver: LinuxBridgeNetwork, whole: HostNetworks) -> None:
    """Give the host the document's ports, of which the document does not say in which networks they are."""
    networks = list(whole.networks.items())
    for number, (port_id, guard) in enumerate(whole.guards.items()):
        subprocess.run(["ip", "tuntap", "add", tap_name(port_id), "mode", "tap"], check=True)
        network_id, segment = networks[number % len(networks)]
        spec = PortSpec(id=port_id, mac_address=guard.mac_address, network=NetworkSpec(id=network_id, mtu=segment.mtu))
        driver.plug(_OWNER.format(number), [spec], {}, "")


def _without(rule: HostNetworks, whole: HostNetworks) -> HostNetworks:
    """Return the difference that takes the rule away again."""
    return msgspec.structs.replace(rule, groups={id: whole.groups[id] for id in rule.groups})


def _cost(work: Callable[[], object], times: int = 1) -> dict[str, float]:
    walls, cpu = [], []
    for _ in range(times):
        began, used = time.perf_counter(), os.times()
        work()
        now = os.times()
        walls.append(time.perf_counter() - began)
        cpu.append(sum(now[:4]) - sum(used[:4]))
    return {"p50_ms": milliseconds(statistics.median(walls)), "cpu_ms": milliseconds(statistics.median(cpu))}


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
