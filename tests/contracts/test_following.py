"""The fake network follows guests as the real one does (tests/integration/network/test_following.py)."""

from pathlib import Path

import msgspec
import pytest

from compute_agent.network.fake import FakeNetwork
from contracts.compute import FixedIpSpec
from tests.contracts.following_suite import FollowingSuite, Walker
from tests.integration.network.guests import network, port
from tests.unit.compute_agent.orders import new_id


class TestFakeNetwork(FollowingSuite):
    @pytest.fixture
    def walker(self, tmp_path: Path) -> Walker:
        driver, spec = FakeNetwork(tmp_path), port(network(), "10.99.0.5")
        second = FixedIpSpec(subnet_id=spec.fixed_ips[0].subnet_id, ip_address="10.99.0.6")
        spec = msgspec.structs.replace(spec, fixed_ips=[*spec.fixed_ips, second])
        driver.plug(new_id(), [spec], {}, "")
        return Walker(
            driver, lambda: driver, spec, lambda address, mac: driver.send(spec.id, address, mac),
            lambda address: driver.delivered_as(spec.id, address),
        )  # fmt: skip
