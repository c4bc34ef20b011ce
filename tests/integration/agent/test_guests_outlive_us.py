"""A guest boots into its network, address and metadata while no agent, Redis, API or database is there at all."""

import os
import subprocess
import sys
import time

import libvirt
import pytest

from contracts.compute import SpawnServer
from tests.fixtures.console import banners
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id, server_spec

pytestmark = [pytest.mark.root, pytest.mark.libvirt, pytest.mark.timeout(600)]

BOOT_SECONDS = 200


@pytest.fixture
def metadata_service(site):
    argv = [sys.executable, "-m", "compute_agent.network.metadata"]
    service = subprocess.Popen(argv, env={**os.environ, "NOVELLA_STATE_DIR": str(site.state_dir)})
    yield service
    service.terminate()
    service.wait(60)


def test_guest_boots_into_its_network_when_everybody_else_is_gone(site, metadata_service):
    uuid = new_id()
    server = server_spec(
        uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=96, image=site.image, ports=[port(network(), "10.99.0.5")],
        metadata={"uuid": uuid, "hostname": "s1.example", "public_keys": {}},
    )  # fmt: skip
    # The agent is a process of its own, which has ended when this returns. There never was anybody else.
    said = site.killed(site.order(SpawnServer, server, server=server))
    assert said["answer"]["power_state"] == 1
    assert _banner(site, uuid, 1) == "### READY s1 addr=eth0=10.99.0.5 metadata=http"
    connection = libvirt.open(site.environ["LIBVIRT_URI"])
    connection.lookupByUUIDString(uuid).reset(0)
    assert _banner(site, uuid, 2) == "### READY s1 addr=eth0=10.99.0.5 metadata=http"
    connection.close()


def _banner(site, uuid, number):
    log = site.state_dir / "instances" / uuid / "console.log"
    end = time.monotonic() + BOOT_SECONDS
    while len(found := banners(text := log.read_text(errors="replace"))) < number:
        assert time.monotonic() < end, text[-2000:]
        time.sleep(0.5)
    return found[-1]
