"""The first five minutes: image, flavors, key, network, its way out and one server, made through the public API."""

import ipaddress
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openstack
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.blank_image import blank_qcow2
from contracts.physical_networks import HOST, interfaces
from host.lab.wires import PHYSICAL_NETWORK, outside
from host.settings import HostSettings

FLAVORS = (
    # name, vcpus, memory in MB, disk in GB
    ("m1.tiny", 1, 96, 1),
    ("m1.small", 1, 512, 5),
    ("m1.medium", 2, 1024, 10),
)
NETWORK_CIDR = "10.20.0.0/24"
BUILD_SECONDS = 180
BANNER = re.compile(r"^.*(?:### READY|login:).*$", re.MULTILINE)
LOGIN = "login:"


def create(settings: HostSettings) -> None:
    """Make what lacks of the demo, once: what its owner removes later stays away."""
    marker = settings.state_dir / "demo.done"
    if marker.exists():
        return
    config = openstack.config.OpenStackConfig(config_files=[str(settings.state_dir / "clouds.yaml")])
    demo = openstack.connection.Connection(config=config.get_one("novella"))
    admin = openstack.connection.Connection(config=config.get_one("novella-admin"))
    _image(admin, settings)
    for row in FLAVORS:
        _flavor(admin, *row)
    _keypair(demo, settings.state_dir / "demo_key")
    network = _network(demo)
    _wait_for(lambda: any(service.state == "up" for service in admin.compute.services(binary="nova-compute")),
              "a compute host to report", 60)
    if is_outside(settings):
        _outside(admin, outside(settings))
        # Whoever makes servers with openstacksdk is given floating addresses as soon as there is an external network:
        # they must lead somewhere. A lab is for trying routers, and begins without one.
        if settings.hypervisor != "lab":
            _router(demo)
    _server(demo, network, is_real=settings.is_real)
    marker.touch()


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _image(cloud: Any, settings: HostSettings) -> None:
    path = settings.state_dir / "guest" / "tiny.qcow2"
    if settings.hypervisor == "fake":
        path = settings.state_dir / "blank.qcow2"
        path.write_bytes(blank_qcow2(64 * 2**20))
        # A second one, so that a rebuild has something to change to.
        _upload(cloud, "tiny-two", path)
    _upload(cloud, "tiny", path)


def _upload(cloud: Any, name: str, path: Path) -> None:
    if cloud.image.find_image(name):
        return
    _say(f"Uploading the image {name} ({path.stat().st_size / 2**20:.1f} MB) ...")
    cloud.image.create_image(
        name, filename=str(path), disk_format="qcow2", container_format="bare", visibility="public", wait=True
    )


def _flavor(cloud: Any, name: str, vcpus: int, memory_mb: int, disk_gb: int) -> None:
    if not cloud.compute.find_flavor(name):
        cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=memory_mb, disk=disk_gb)


def _keypair(cloud: Any, path: Path) -> None:
    if cloud.compute.find_keypair("demo"):
        return
    key = Ed25519PrivateKey.generate()
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ))
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    cloud.compute.create_keypair(name="demo", public_key=f"{public.decode()} demo")


def _network(cloud: Any) -> Any:
    network = cloud.network.find_network("demo")
    if network is None:
        network = cloud.network.create_network(name="demo")
        cloud.network.create_subnet(
            name="demo", network_id=network.id, ip_version=4, cidr=NETWORK_CIDR, dns_nameservers=["9.9.9.9"]
        )
    return network


def is_outside(settings: HostSettings) -> bool:
    """Tell whether this machine is the gateway of the external network, so that its addresses are ours to choose."""
    return settings.hypervisor == "lab" or interfaces(settings.physical_networks).get(PHYSICAL_NETWORK) == HOST


def _outside(cloud: Any, gateway: ipaddress.IPv4Interface) -> None:
    if cloud.network.find_network(PHYSICAL_NETWORK) is None:
        network = cloud.network.create_network(
            name=PHYSICAL_NETWORK, is_router_external=True, provider_network_type="flat",
            provider_physical_network=PHYSICAL_NETWORK,
        )
        cloud.network.create_subnet(
            name=PHYSICAL_NETWORK, network_id=network.id, ip_version=4, cidr=str(gateway.network),
            gateway_ip=str(gateway.ip), is_dhcp_enabled=False,
        )


def _router(cloud: Any) -> None:
    if cloud.network.find_router("demo") is None:
        outside = cloud.network.find_network(PHYSICAL_NETWORK, ignore_missing=False)
        router = cloud.network.create_router(name="demo", external_gateway_info={"network_id": outside.id})
        subnet = cloud.network.find_subnet("demo", ignore_missing=False)
        cloud.network.add_interface_to_router(router, subnet_id=subnet.id)


def _server(demo: Any, network: Any, *, is_real: bool) -> None:
    if demo.compute.find_server("first"):
        return
    _say("Creating the server first ...")
    began = time.monotonic()
    server = demo.compute.create_server(
        name="first", flavor_id=demo.compute.find_flavor("m1.tiny").id, image_id=demo.image.find_image("tiny").id,
        networks=[{"uuid": network.id}], key_name="demo",
    )
    server = _follow(demo, server, began)
    addresses = ", ".join(entry["addr"] for entries in server.addresses.values() for entry in entries)
    _say(f"The server first is ACTIVE after {time.monotonic() - began:.1f} s, at {addresses}.")
    if is_real:
        _say("Waiting for the guest's banner on its console ...")
        _wait_for(lambda: any(LOGIN in line for line in _banner(demo, server)), "the guest's banner", BUILD_SECONDS)
        for line in _banner(demo, server):
            _say(f"    {line}")
        _say(f"It came {time.monotonic() - began:.1f} s after the request.")


def _follow(cloud: Any, server: Any, began: float) -> Any:
    seen = None
    while True:
        server = cloud.compute.get_server(server.id)
        state = (server.status, server.task_state)
        if state != seen:
            _say(f"    {time.monotonic() - began:5.1f} s  {server.status:<7} {server.task_state or ''}")
            seen = state
        if server.status == "ACTIVE":
            return server
        if server.status == "ERROR" or time.monotonic() - began > BUILD_SECONDS:
            reason = (server.fault or {}).get("message", "it took too long")
            raise RuntimeError(f"the server first did not become ACTIVE: {reason}")
        time.sleep(0.2)


def _banner(cloud: Any, server: Any) -> list[str]:
    output = cloud.compute.get_server_console_output(server.id)["output"]
    return [match.group(0).strip() for match in BANNER.finditer(output)]


def _wait_for(condition: Callable[[], object], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.5)
