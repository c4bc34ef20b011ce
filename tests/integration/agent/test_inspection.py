"""A real host is looked at, and what was taken from it by hand is noticed."""

import subprocess

import pytest

from compute_agent.network.names import Mark, tap_name
from tests.contracts.inspection_suite import Ground, InspectionSuite
from tests.integration.agent.test_real_host import image, real  # noqa: F401  fixtures
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id, server_spec

pytestmark = [pytest.mark.root, pytest.mark.libvirt]


class Vandal:
    """Somebody with a root shell on the host."""

    def __init__(self, state_dir, uri):
        self._state_dir, self._uri = state_dir, uri
        self._table = Mark.of(state_dir).table

    def domain(self, server):
        for command in (("destroy", server.name), ("undefine", server.name)):
            self._run("virsh", "-q", "-c", self._uri, *command)

    def root(self, server):
        (self._state_dir / "instances" / server.uuid / "disk").unlink()

    def image(self, server):
        for path in (self._state_dir / "images_cache").glob(f"{server.image.id}.*"):
            path.unlink()

    def tap(self, server):
        self._run("ip", "link", "delete", tap_name(server.ports[0].id))

    def rules(self, server):
        self._run("nft", "flush", "chain", "bridge", self._table, f"port_{server.ports[0].id}")

    def all_rules(self, server):
        self._run("nft", "flush", "ruleset")

    def lease(self, server):
        (self._network(server) / "dhcp.hosts").write_text("")

    def metadata(self, server):
        for path in (self._state_dir / "metadata" / server.ports[0].network.id).glob("*.json"):
            path.unlink()

    def dhcp(self, server):
        self._run("kill", "-KILL", (self._network(server) / "dnsmasq.pid").read_text().strip())

    def _network(self, server):
        return self._state_dir / "network" / server.ports[0].network.id

    @staticmethod
    def _run(*argv):
        subprocess.run(argv, check=True, capture_output=True, timeout=30)


LOSSES = ("domain", "root", "image", "tap", "rules", "lease", "metadata", "dhcp")


class TestRealHost(InspectionSuite):
    @pytest.fixture
    def ground(self, real, image, libvirtd, tmp_path):  # noqa: F811
        vandal = Vandal(tmp_path, libvirtd.uri)

        def make():
            uuid = new_id()
            return server_spec(
                uuid=uuid, name=f"instance-{uuid[:8]}", memory_mb=96, image=image, config_drive=True,
                ports=[port(network(), "10.99.0.5")], metadata={"uuid": uuid, "hostname": "s1", "public_keys": {}},
            )  # fmt: skip

        return Ground(host=real.host, make=make, losses={name: getattr(vandal, name) for name in LOSSES})
