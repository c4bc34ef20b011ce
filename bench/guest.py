"""A real guest: from POST to the domain running, beside what a person with libvirt waits who defines and starts one.

By hand means: an overlay over the same image, the same domain without its network card, define, start. It needs root.
"""

import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import libvirt
import yaml

from bench.client import Client
from bench.cloud import lift_quotas
from bench.cloud_bench import SERVERS, create_body
from bench.report import milliseconds
from host.environment import agent_environment
from tests.fixtures.clouds import CHECKOUT, LocalCloud, wait_until

_ROUNDS = 7
_LOOK_SECONDS = 0.005
_PATIENCE_SECONDS = 60.0


def measure() -> dict[str, Any]:
    """Return medians of both ways, taken in turns."""
    with tempfile.TemporaryDirectory(prefix="novella-bench.") as folder:
        state_dir = Path(folder)
        built = CHECKOUT / "var" / "guest"
        if built.is_dir():
            shutil.copytree(built, state_dir / "guest")
        cloud = LocalCloud(state_dir, "libvirt")
        try:
            cloud.host("up")
            lift_quotas(cloud)
            return _both(cloud)
        finally:
            cloud.end()


def _both(cloud: LocalCloud) -> dict[str, Any]:
    clouds = yaml.safe_load((cloud.state_dir / "clouds.yaml").read_text())["clouds"]
    client = Client(cloud.url, clouds["novella"]["auth"])
    body = create_body(client)
    hypervisor = libvirt.open(agent_environment(cloud.settings)["LIBVIRT_URI"])
    libvirt.registerErrorHandler(lambda *_: None, None)  # a guest that is not there yet is no news
    ours, by_hand = [], []
    try:
        for _ in range(_ROUNDS):
            seconds, domain = _ours(client, hypervisor, body)
            ours.append(seconds)
            by_hand.append(_by_hand(hypervisor, domain, cloud.state_dir))
            client.call("DELETE", f"{SERVERS}/{domain.UUIDString()}")
            wait_until(lambda found=domain: _is_gone(hypervisor, found.UUIDString()), "the guest to go")
    finally:
        hypervisor.close()
    ratio = statistics.median(ours) / statistics.median(by_hand)
    return {
        "post_to_running_ms": milliseconds(statistics.median(ours)),
        "by_hand_ms": milliseconds(statistics.median(by_hand)), "ratio": round(ratio, 2),
    }  # fmt: skip


def _ours(client: Client, hypervisor: Any, body: dict[str, Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    server = client.call("POST", SERVERS, body).body["server"]["id"]
    while time.perf_counter() - began < _PATIENCE_SECONDS:
        found = _find(hypervisor, server)
        if found is not None and found.state()[0] == libvirt.VIR_DOMAIN_RUNNING:
            return time.perf_counter() - began, found
        time.sleep(_LOOK_SECONDS)
    raise AssertionError(client.call("GET", f"{SERVERS}/{server}").body)


def _by_hand(hypervisor: Any, like: Any, folder: Path) -> float:
    root = ET.fromstring(like.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))  # noqa: S314 - libvirt's own word
    overlay, name = folder / f"{uuid.uuid4()}.qcow2", str(uuid.uuid4())
    _make_another(root, name, overlay)
    backing = _backing_of(like)
    began = time.perf_counter()
    subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", backing, "-F", "qcow2", str(overlay)], check=True
    )
    domain = hypervisor.defineXML(ET.tostring(root, encoding="unicode"))
    domain.create()
    while domain.state()[0] != libvirt.VIR_DOMAIN_RUNNING:
        time.sleep(_LOOK_SECONDS)
    seconds = time.perf_counter() - began
    domain.destroy()
    domain.undefine()
    overlay.unlink()
    return seconds


def _make_another(root: ET.Element, name: str, overlay: Path) -> None:
    """Turn a guest's definition into that of another one with a disk of its own, no network card and no log."""
    for tag, text in (("name", name), ("uuid", name)):
        found = root.find(tag)
        assert found is not None
        found.text = text
    for entry in root.findall("sysinfo/system/entry"):
        if entry.get("name") in {"serial", "uuid"}:
            entry.text = name
    devices = root.find("devices")
    assert devices is not None
    disks = devices.findall("disk")
    source = disks[0].find("source")
    assert source is not None
    source.set("file", str(overlay))
    for one in (*disks[1:], *devices.findall("interface")):
        devices.remove(one)
    for console in (*devices.findall("serial"), *devices.findall("console")):
        for log in console.findall("log"):
            console.remove(log)


def _backing_of(domain: Any) -> str:
    root = ET.fromstring(domain.XMLDesc())  # noqa: S314 - libvirt's own word
    source = root.find("devices/disk/backingStore/source")
    assert source is not None
    return str(source.get("file"))


def _find(hypervisor: Any, server: str) -> Any:
    try:
        return hypervisor.lookupByUUIDString(server)
    except libvirt.libvirtError:
        return None


def _is_gone(hypervisor: Any, server: str) -> bool:
    return _find(hypervisor, server) is None
