"""A real host is looked at, and what was taken from it by hand is noticed."""

import pytest

from tests.contracts.inspection_suite import Ground, InspectionSuite
from tests.fixtures.vandal import LOSSES, Vandal
from tests.integration.agent.test_real_host import image, real  # noqa: F401  fixtures
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id, server_spec

pytestmark = [pytest.mark.root, pytest.mark.libvirt, pytest.mark.timeout(400)]


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
