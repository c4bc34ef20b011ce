"""SIGKILL for a real host's agent, on both sides of what it does: the repeated order finishes, nothing is doubled."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compute_agent.bootstrap import build_agent
from compute_agent.drivers.base import PowerState
from compute_agent.observations import residue
from compute_agent.purge import purge
from compute_agent.settings import Settings
from compute_agent.tasks import carry_out
from contracts.compute import (
    DestroyServer,
    DiskLink,
    LandServer,
    RebuildServer,
    ReceiveDisks,
    SendDisks,
    SetAsideServer,
    SpawnServer,
    VacateServer,
)
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id, order, server_spec

pytest_plugins = ["tests.fixtures.image_server"]
pytestmark = [pytest.mark.root, pytest.mark.libvirt, pytest.mark.timeout(300)]

HOST = "killed-1"
CHECKOUT = Path(__file__).resolve().parents[3]
# How many moments of each order are tried; they are spread evenly over all that there are.
MOMENTS = 8


class Site:
    """A real host, a server on it, and agents that are killed."""

    def __init__(self, uri, state_dir, image_server, image):
        self.environ = {
            "NOVELLA_HYPERVISOR": "libvirt", "NOVELLA_HOST": HOST, "NOVELLA_STATE_DIR": str(state_dir),
            "LIBVIRT_URI": uri, "NOVELLA_LOG_LEVEL": "WARNING", "NOVELLA_ACCEPT_UNSIGNED": "1",
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
        answer = carry_out(self.agent, message.NAME, message.to_wire())
        assert answer["error_code"] == "", answer
        return answer

    def killed(self, message, at=0, *, is_after=False):
        """Carry it out in a process that is killed at a moment; return what it said, if it lived to say it."""
        told = {
            "environ": self.environ, "name": message.NAME, "order": message.to_wire(), "at": at, "is_after": is_after
        }  # fmt: skip
        process = subprocess.run(
            [sys.executable, "-m", "tests.integration.agent.killed_agent"],
            input=json.dumps(told), capture_output=True, text=True, cwd=CHECKOUT, timeout=60, check=False,
        )  # fmt: skip
        assert process.returncode == (-9 if at else 0), process.stderr
        return json.loads(process.stdout) if not at else None

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
    content = guest_image.read_bytes()
    image = image_server.image(content, virtual_size_bytes=32 * 1024**2)
    assert image.checksum == hashlib.sha512(content).hexdigest()
    site = Site(libvirtd.uri, tmp_path, image_server, image)
    yield site
    left = purge(site.host, has_disks=True)
    site.host.driver.close()
    assert left == []


def _spawned(site, server):
    site.send(site.order(SpawnServer, server, server=server))


def _received(site, server):
    """Have the server's disk on its way back to the host that it came from, which is empty again."""
    _spawned(site, server)
    site.send(site.order(SetAsideServer, server, graceful_seconds=0))
    place = site.image_server.place()
    (sent,) = site.send(site.order(SendDisks, server, disks=[DiskLink(name="disk", url=place)]))["disks"]
    move = new_id()
    site.send(site.order(VacateServer, server))
    site.send(site.order(ReceiveDisks, server, operation_id=move, disks=[DiskLink(url=place, **sent)]))
    site.host.storage.drop_aside(server.uuid)
    return {"operation_id": move}


CASES = {
    "spawn": (SpawnServer, lambda site, server: None, lambda server: {"server": server}),
    "destroy": (DestroyServer, _spawned, lambda server: {"is_final": True}),
    "rebuild": (RebuildServer, _spawned, lambda server: {"server": server}),
    "set_aside": (SetAsideServer, _spawned, lambda server: {"graceful_seconds": 0}),
    "land": (LandServer, _received, lambda server: {"server": server, "disk_names": ["disk"]}),
}


@pytest.mark.parametrize("name", CASES)
def test_killed_agent_of_a_real_host_is_succeeded_by_one_that_finishes(site, name):
    kind, prepare, values = CASES[name]
    server = site.fresh()
    fence = prepare(site, server) or {}
    undisturbed = site.killed(site.order(kind, server, **values(server), **fence))
    assert undisturbed["answer"]["error_code"] == "", undisturbed
    wanted = site.seen()
    assert wanted[1] in ([PowerState.RUNNING], [])
    site.clear(server)
    every = [(at, is_after) for at in range(1, len(undisturbed["calls"]) + 1) for is_after in (False, True)]
    for at, is_after in every[1 :: max(len(every) // MOMENTS, 1)]:
        server = site.fresh()
        fence = prepare(site, server) or {}
        message = site.order(kind, server, **values(server), **fence)
        site.killed(message, at, is_after=is_after)
        answer = site.send(message)
        moment = f"{'after' if is_after else 'before'} {undisturbed['calls'][at - 1]} ({at})"
        assert site.seen() == wanted, (moment, answer)
        site.clear(server)
