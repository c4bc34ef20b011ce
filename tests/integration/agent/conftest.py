"""A real host whose agents are processes that end, or are killed, after one order."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compute_agent.bootstrap import build_agent
from compute_agent.observations import residue
from compute_agent.purge import purge
from compute_agent.settings import Settings
from compute_agent.tasks import carry_out
from contracts.compute import DestroyServer
from contracts.credentials import CREDENTIAL, HOST_KEY
from contracts.signing import ORDER, WORD, is_signed, sign
from tests.fixtures.image_server import image_server
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id, order, server_spec

__all__ = ["image_server"]

HOST = "killed-1"
KEY = bytes(range(32))
CHECKOUT = Path(__file__).resolve().parents[3]


class Site:
    """A real host, a server on it, and agents that are killed."""

    def __init__(self, uri, state_dir, image_server, image):
        self.environ = {
            "NOVELLA_HYPERVISOR": "libvirt", "NOVELLA_HOST": HOST, "NOVELLA_STATE_DIR": str(state_dir),
            "LIBVIRT_URI": uri, "NOVELLA_LOG_LEVEL": "WARNING", CREDENTIAL: HOST, HOST_KEY: KEY.hex(),
        }  # fmt: skip
        self.agent = build_agent(Settings.from_environment(self.environ))
        self.host = self.agent.stations[HOST].host
        self.image_server, self.image = image_server, image
        self.state_dir = state_dir

    def fresh(self):
        uuid = new_id()
        return server_spec(
            uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=96, image=self.image, config_drive=True,
            ports=[port(network(), "10.99.0.5")],
        )  # fmt: skip

    def order(self, kind, owner, /, **values):
        return order(kind, owner.uuid, host=HOST, not_after=time.time() + 170, **values)

    def send(self, message):
        answer = carry_out(self.agent, message.NAME, sign(KEY, ORDER, message.NAME, message.to_wire()))
        assert answer["error_code"] == "", answer
        assert is_signed(KEY, WORD, message.NAME, answer)
        return answer

    def killed(self, message, at=0, *, is_after=False):
        """Carry it out in a process that is killed at a moment; return what it said, if it lived to say it."""
        process = self.begin(message, at, is_after=is_after)
        if not at:
            return self.end(process)
        assert process.wait(150) == -9, process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        return None

    def begin(self, message, at=0, *, is_after=False):
        """Start a process that carries it out."""
        wire = sign(KEY, ORDER, message.NAME, message.to_wire())
        told = {"environ": self.environ, "name": message.NAME, "order": wire, "at": at, "is_after": is_after}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.agent.killed_agent"], cwd=CHECKOUT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        process.stdin.write(json.dumps(told))
        process.stdin.close()
        return process

    def end(self, process):
        """Wait for what it says."""
        with process.stdout, process.stderr:
            said, errors = process.stdout.read(), process.stderr.read()
        assert process.wait(150) == 0, errors
        return json.loads(said)

    def seen(self):
        wire = residue(self.host).to_wire()
        names = sorted(
            path.name for folder in ("instances", "aside") for path in (self.state_dir / folder).glob("*/*")
            if path.name != "console.log"
        )  # fmt: skip
        counts = {key: len(value) for key, value in wire.items() if isinstance(value, list)}
        return counts, sorted(self.host.driver.list_domains().values()), names

    def clear(self, server):
        self.send(self.order(DestroyServer, server, is_final=True))
        assert self.seen() == (dict.fromkeys(self.seen()[0], 0), [], [])


@pytest.fixture
def site(libvirtd, tmp_path, image_server, guest_image):
    image = image_server.image(guest_image.read_bytes(), virtual_size_bytes=32 * 1024**2)
    site = Site(libvirtd.uri, tmp_path, image_server, image)
    yield site
    left = purge(site.host, has_disks=True)
    site.host.driver.close()
    assert left == []
