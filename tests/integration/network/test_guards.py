"""The real network keeps the document as the fake one does (tests/contracts/test_guards.py), on a real kernel."""

import pytest

from compute_agent.network.linux_bridge import LinuxBridgeNetwork
from compute_agent.network.names import bridge_name, tap_name
from tests.contracts.guards_suite import Ground, GuardsSuite
from tests.integration.network.connecting import is_denied
from tests.integration.network.guests import Guest, network, port, run
from tests.unit.compute_agent.orders import new_id

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_kernel")]


class TestLinuxBridgeNetwork(GuardsSuite):
    @pytest.fixture
    def ground(self, tmp_path):
        net = network()
        mine, neighbours = (Guest(port(net, address), tmp_path) for address in ("10.99.0.5", "10.99.0.6"))
        driver, instance = LinuxBridgeNetwork(tmp_path / "state"), new_id()
        for guest in (mine, neighbours):
            guest.start()
            guest.static(f"{guest.port.fixed_ips[0].ip_address}/24")
        driver.plug(instance, [mine.port], {}, "")
        tap = tap_name(neighbours.port.id)
        # The neighbour is no port: it is on the bridge as a host elsewhere would be.
        run("ip", "link", "set", tap, "up", "master", bridge_name(net.id))
        assert neighbours.finds("10.99.0.5")
        yield Ground(
            driver, lambda: LinuxBridgeNetwork(tmp_path / "state"), instance, mine.port, "10.99.0.6",
            lambda number: not is_denied(neighbours, "10.99.0.5", number),
        )  # fmt: skip
        driver.purge()
        for guest in (mine, neighbours):
            guest.stop()
