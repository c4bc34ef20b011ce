"""What is for guests that change their MAC addresses follows them, on every host of the process."""

from compute_agent.errors import VifPlugFailed
from compute_agent.fences import MemoryFences
from compute_agent.following import Following
from compute_agent.locks import MemoryLocks
from compute_agent.network.fake import FakeNetwork
from compute_agent.tasks import Station
from tests.unit.compute_agent.orders import FakeHost


class BrokenNetwork(FakeNetwork):
    def follow_guests(self):
        raise VifPlugFailed("netlink")


class CountingNetwork(FakeNetwork):
    looks = 0

    def follow_guests(self):
        self.looks += 1


def _station(network):
    return Station(FakeHost(network=network).host, MemoryLocks(), MemoryFences())


def test_a_host_that_cannot_be_looked_at_keeps_none_from_it(caplog):
    healthy = CountingNetwork()
    Following([_station(BrokenNetwork()), _station(healthy)]).look()
    assert healthy.looks == 1
    assert "guests not followed, will be tried again: netlink" in caplog.text
