"""The fake network keeps the document as the real one does (tests/integration/network/test_guards.py)."""

from pathlib import Path

import pytest

from compute_agent.network.fake import FakeNetwork
from compute_agent.network.judgement import INGRESS, Opening
from tests.contracts.guards_suite import Ground, GuardsSuite
from tests.integration.network.documents import TCP
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id


class TestFakeNetwork(GuardsSuite):
    @pytest.fixture
    def ground(self, tmp_path: Path) -> Ground:
        driver, spec, neighbour = FakeNetwork(tmp_path), port(network(), "10.99.0.5"), "10.99.0.6"
        instance = new_id()
        driver.plug(instance, [spec], {}, "")

        def lets_in(number: int) -> bool:
            return driver.is_allowed(spec.id, Opening(INGRESS, TCP, number, neighbour))

        return Ground(driver, lambda: FakeNetwork(tmp_path), instance, spec, neighbour, lets_in)
