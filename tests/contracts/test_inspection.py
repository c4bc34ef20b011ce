"""The fakes let themselves be looked at as the real host does (tests/integration/agent/test_inspection.py)."""

import pytest

from compute_agent.network.fake import FakeNetwork
from contracts.compute import ServerSpec
from tests.contracts.inspection_suite import Ground, InspectionSuite
from tests.unit.compute_agent.orders import FakeHost, server_spec


class TestFakeHost(InspectionSuite):
    @pytest.fixture
    def ground(self) -> Ground:
        fake = FakeHost()

        def lose(part: str):
            return lambda server: fake.network.lose(server.uuid, server.ports[0].id, part)

        return Ground(
            host=fake.host,
            make=lambda: server_spec(config_drive=True),
            losses={
                "domain": lambda server: fake.driver.undefine(server.uuid),
                "root": lambda server: fake.storage.lose_disk(server.uuid, "disk"),
                "image": lambda server: fake.storage.spoil_disk(server.uuid, "disk", "its image is not in the cache"),
                "tap": lose("tap"), "rules": lose("rules"), "lease": lose("lease"), "metadata": lose("metadata"),
                "dhcp": lose("server"),
            },
        )  # fmt: skip

    def test_lost_limits_are_seen(self, ground: Ground, server: ServerSpec) -> None:
        """Real ones are lost in tests/integration/network/test_limits.py."""
        assert isinstance(ground.host.network, FakeNetwork)
        assert self.look(ground, server).ports[0].is_limited
        ground.host.network.lose(server.uuid, server.ports[0].id, "limit")
        assert not self.look(ground, server).ports[0].is_limited

    def test_a_lost_carrier_is_seen(self, ground: Ground, server: ServerSpec) -> None:
        """A real one is lost in tests/integration/network/test_segments.py: the suite's real host carries nothing."""
        assert isinstance(ground.host.network, FakeNetwork)
        ground.host.network.lose(server.uuid, server.ports[0].id, "carrier")
        assert not self.look(ground, server).ports[0].is_carried
