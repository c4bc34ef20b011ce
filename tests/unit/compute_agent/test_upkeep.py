"""The round that brings back what got lost."""

from compute_agent.errors import VifPlugFailed
from compute_agent.fences import MemoryFences
from compute_agent.locks import MemoryLocks
from compute_agent.network.fake import FakeNetwork
from compute_agent.tasks import Station
from compute_agent.upkeep import Upkeep
from tests.unit.compute_agent.orders import FakeHost


class BrokenNetwork(FakeNetwork):
    def restore(self):
        raise VifPlugFailed("netlink")


class CountingNetwork(FakeNetwork):
    rounds = 0

    def restore(self):
        self.rounds += 1


def _station(network):
    return Station(FakeHost(network=network).host, MemoryLocks(), MemoryFences())


def test_host_that_cannot_be_mended_does_not_keep_the_next_one():
    healthy = CountingNetwork()
    Upkeep([_station(BrokenNetwork()), _station(healthy)], 60).round()
    assert healthy.rounds == 1
