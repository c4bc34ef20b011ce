"""The whole agent on a real host: QEMU, bridge, DHCP, metadata, disk; from order to banner to nothing left."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from compute_agent.bootstrap import build_agent
from compute_agent.observations import residue
from compute_agent.purge import purge
from compute_agent.settings import Settings
from compute_agent.tasks import carry_out
from contracts.compute import (
    DestroyServer,
    GetConsoleOutput,
    ImageSpec,
    RebootServer,
    RebuildServer,
    SpawnServer,
    StartServer,
    StopServer,
)
from tests.fixtures.console import banners
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id, server_spec

pytestmark = [pytest.mark.root, pytest.mark.libvirt]

HOST = "real-1"
BOOT_SECONDS = 200


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class RealHost:
    """An agent with the real drivers, told by orders as from the wire."""

    def __init__(self, settings):
        self.agent = build_agent(settings)
        self.host = self.agent.stations[HOST].host

    def send(self, kind, instance_uuid, **values):
        fences = {"operation_id": new_id(), "step": "s", "host": HOST, "attempt": 1, "not_after": time.time() + 170}
        order = kind(instance_uuid=instance_uuid, **{**fences, **values})
        answer = carry_out(self.agent, kind.NAME, order.to_wire())
        assert answer["error_code"] == "", answer
        return answer

    def console(self, uuid):
        return self.send(GetConsoleOutput, uuid)["output"]

    def wait_for_banners(self, uuid, count):
        end = time.monotonic() + BOOT_SECONDS
        while len(found := banners(text := self.console(uuid))) < count:
            assert time.monotonic() < end, text
            time.sleep(0.5)
        return found[-1]


@pytest.fixture
def image(guest_image):
    handler = partial(QuietFiles, directory=str(guest_image.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    content = guest_image.read_bytes()
    yield ImageSpec(
        id=new_id(),
        url=f"http://127.0.0.1:{server.server_port}/{guest_image.name}",
        checksum=hashlib.sha512(content).hexdigest(),
        checksum_algorithm="sha512",
        disk_format="qcow2",
        size_bytes=len(content),
        virtual_size_bytes=32 * 1024**2,
    )
    server.shutdown()
    server.server_close()


@pytest.fixture
def real(libvirtd, tmp_path):
    settings = Settings(state_dir=tmp_path, redis_url="", hosts=(HOST,), hypervisor="libvirt", libvirt_uri=libvirtd.uri)
    argv = [sys.executable, "-m", "compute_agent.network.metadata"]
    service = subprocess.Popen(argv, env={**os.environ, "NOVELLA_STATE_DIR": str(tmp_path)})
    real = RealHost(settings)
    yield real
    left = purge(real.host, has_disks=True)
    real.host.driver.close()
    service.terminate()
    service.wait(60)
    assert left == []


@pytest.mark.timeout(900)
def test_guest_lives_from_order_to_banner_to_nothing_left(real, image):
    spec = port(network(), "10.99.0.5")
    uuid = new_id()
    server = server_spec(
        uuid=uuid,
        name=f"instance-{uuid[:8]}",
        memory_mb=96,
        image=image,
        ports=[spec],
        metadata={"uuid": uuid, "hostname": "s1.example", "public_keys": {}},
    )
    spawned = real.send(SpawnServer, uuid, server=server)
    assert spawned["power_state"] == 1
    assert real.wait_for_banners(uuid, 1) == "### READY s1 addr=eth0=10.99.0.5 metadata=http"

    stopped = real.send(StopServer, uuid, graceful_seconds=60)
    assert stopped["power_state"] == 4
    assert real.send(StartServer, uuid, server=server)["power_state"] == 1
    assert "addr=eth0=10.99.0.5" in real.wait_for_banners(uuid, 2)
    assert real.send(RebootServer, uuid, server=server, hard=True)["power_state"] == 1
    real.wait_for_banners(uuid, 3)
    renamed = msgspec.structs.replace(server, metadata={**server.metadata, "hostname": "s2.example"})
    assert real.send(RebuildServer, uuid, server=renamed, is_started=False)["power_state"] == 4
    assert real.console(uuid) == ""
    assert real.send(RebuildServer, uuid, server=renamed)["power_state"] == 1
    assert real.wait_for_banners(uuid, 1) == "### READY s2 addr=eth0=10.99.0.5 metadata=http"

    seen = residue(real.host)
    assert (seen.domains, seen.disks) == ([uuid], [uuid])
    assert seen.tap_port_ids == seen.lease_port_ids == seen.metadata_port_ids == [spec.id]
    real.send(DestroyServer, uuid)
    seen = residue(real.host)
    assert (seen.domains, seen.disks, seen.tap_port_ids) == ([], [], [])
    assert seen.lease_port_ids == seen.metadata_port_ids == []
