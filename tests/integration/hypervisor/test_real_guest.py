"""A real guest from an image on an HTTP server to its banner, through real storage and a real hypervisor."""

import base64
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroute2 import IPRoute

from compute_agent.drivers.base import DomainSpec, Interface, PowerState
from compute_agent.drivers.libvirt import LibvirtDriver, LibvirtSettings
from compute_agent.storage.qcow2 import Qcow2Storage
from tests.contracts.driver_suite import wait_until_off
from tests.contracts.storage_suite import make_server
from tests.fixtures.image_server import ImageServer
from tests.fixtures.libvirt import PrivateLibvirtd

pytestmark = [pytest.mark.root, pytest.mark.libvirt, pytest.mark.timeout(600)]

BOOT_SECONDS, SHUTDOWN_SECONDS = 150, 90

SCRIPT = b"""#!/bin/sh
echo "### user data on $(hostname)"
echo "### mtu $(cat /sys/class/net/eth0/mtu) mac $(cat /sys/class/net/eth0/address)"
echo "### disk $(cat /sys/block/vda/size)"
echo "### dmi $(cat /sys/class/dmi/id/product_name)"
"""


@pytest.fixture
def tap() -> Iterator[str]:
    """A tap that somebody else made and keeps."""
    name = f"novella{uuid.uuid4().hex[:8]}"
    with IPRoute() as netlink:
        netlink.link("add", ifname=name, kind="tuntap", mode="tap")
        (index,) = netlink.link_lookup(ifname=name)
        netlink.link("set", index=index, mtu=1450, state="up")
        yield name
        netlink.link("del", index=index)


@pytest.fixture
def driver(libvirtd: PrivateLibvirtd) -> Iterator[LibvirtDriver]:
    driver = LibvirtDriver(LibvirtSettings(uri=libvirtd.uri, disk_folder=libvirtd.state_dir))
    yield driver
    driver.close()


def wait_for_console(storage: Qcow2Storage, instance: str, text: str, count: int = 1) -> str:
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        console = storage.read_console(instance, -1)
        if console.count(text) >= count:
            return console
        assert time.monotonic() < deadline, console
        time.sleep(0.05)


def test_a_guest_boots_from_a_fetched_image_and_reads_its_config_drive(
    driver: LibvirtDriver, guest_image: Path, image_server: ImageServer, tap: str, tmp_path: Path
) -> None:
    storage = Qcow2Storage(tmp_path)
    image = image_server.image(guest_image.read_bytes(), virtual_size_bytes=32 * 1024**2)
    server = make_server(
        image,
        disk_gb=1,
        swap_mb=64,
        config_drive=True,
        user_data=base64.b64encode(SCRIPT).decode(),
        metadata={"uuid": "u", "hostname": "first-boot", "name": "first-boot"},
    )
    storage.prepare_image(image)
    domain = DomainSpec(
        uuid=server.uuid,
        name=f"instance-{server.uuid[:8]}",
        vcpus=1,
        memory_mb=96,
        disks=storage.create_disks(server),
        interfaces=(Interface(tap=tap, mac_address="fa:16:3e:00:00:01", mtu=1450),),
        console_log=storage.console_log_path(server.uuid),
    )
    driver.define(domain)
    try:
        driver.start(server.uuid)
        console = wait_for_console(storage, server.uuid, "first-boot login:")
        assert "### READY first-boot addr=none metadata=config-drive" in console
        assert "### user data on first-boot" in console
        assert "### mtu 1450 mac fa:16:3e:00:00:01" in console
        assert f"### disk {1024**3 // 512}" in console
        assert "### dmi OpenStack Nova" in console

        driver.request_shutdown(server.uuid)
        wait_until_off(driver, server.uuid, SHUTDOWN_SECONDS)
        assert Path(f"/sys/class/net/{tap}").exists(), "the tap is not the hypervisor's to remove"

        driver.define(domain)
        driver.start(server.uuid)
        assert driver.power_state(server.uuid) is PowerState.RUNNING
        wait_for_console(storage, server.uuid, "SYSLINUX", count=2)
    finally:
        driver.undefine(server.uuid)
    storage.delete_disks(server.uuid)
    assert storage.instances_with_disks() == []
    assert server.uuid not in subprocess.run(["ps", "axww"], check=True, capture_output=True, text=True).stdout
