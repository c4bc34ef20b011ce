"""The fake network has routers as the real one does (tests/integration/network/test_routers.py)."""

from pathlib import Path

import pytest

from compute_agent.network.fake import FakeNetwork
from tests.contracts.routers_suite import ADDRESSES, ADDRESSES_IPV6, Ground, RoutersSuite
from tests.unit.compute_agent.orders import new_id


class TestFakeNetwork(RoutersSuite):
    @pytest.fixture
    def ground(self, tmp_path: Path) -> Ground:
        driver, networks = FakeNetwork(tmp_path), {name: new_id() for name in ADDRESSES}

        def meets(name: str, address: str) -> tuple[str, str] | None:
            own = ADDRESSES_IPV6 if ":" in address else ADDRESSES
            arrived = driver.routed(networks[name], own[name], address)
            ends = {(networks[end], held): end for end, held in own.items()}
            there = ends.get((arrived.network_id, arrived.destination)) if arrived else None
            return (there, arrived.source) if arrived and there else None

        return Ground(driver, lambda: FakeNetwork(tmp_path), networks, meets)
