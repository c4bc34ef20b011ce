"""What a host must see of an instance, with whatever drivers: a test class gives it a `ground` to stand on."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest

from compute_agent.host import Host
from compute_agent.operations.destroy import destroy
from compute_agent.operations.inspection import inspect_server
from compute_agent.operations.plug_vifs import plug_vifs
from compute_agent.operations.power import stop
from compute_agent.operations.set_aside import set_aside
from compute_agent.operations.spawn import spawn
from contracts.compute import DestroyServer, PlugVifs, ServerSpec, SetAsideServer, SpawnServer, StopServer
from contracts.inspection import InspectServer, PortAsked, ServerInspected
from tests.unit.compute_agent.orders import new_id, order

RUNNING, OFF = 1, 4


@dataclass(frozen=True)
class Ground:
    """A host to be looked at.

    Attributes:
        host: with its drivers.
        make: describes a server with a port and a config drive that the host can spawn.
        losses: what may be taken away by force, by name: domain, root, image, tap, rules, all_rules, lease, metadata,
            dhcp.
    """

    host: Host
    make: Callable[[], ServerSpec]
    losses: dict[str, Callable[[ServerSpec], None]]


def asked_of(server: ServerSpec, **changes: object) -> list[PortAsked]:
    (port,) = server.ports
    values = {
        "id": port.id, "mac_address": port.mac_address, "network_id": port.network.id,
        "addresses": [one.ip_address for one in port.fixed_ips],
    }  # fmt: skip
    return [PortAsked(**{**values, **changes})]


class InspectionSuite:
    """What InspectServer promises."""

    @pytest.fixture
    def server(self, ground: Ground):
        """A server that runs, removed afterwards."""
        server = ground.make()
        spawn(ground.host, self._order(ground, SpawnServer, server.uuid, server=server))
        yield server
        destroy(ground.host, self._order(ground, DestroyServer, server.uuid))

    def _order(self, ground: Ground, kind, uuid: str, **values):
        return order(kind, uuid, host=ground.host.name, not_after=ground.host.clock() + 100, **values)

    def look(self, ground: Ground, server: ServerSpec, **changes: object) -> ServerInspected:
        asked = asked_of(server, **changes)
        return inspect_server(ground.host, self._order(ground, InspectServer, server.uuid, ports=asked))

    def test_of_a_stranger_there_is_nothing(self, ground: Ground) -> None:
        seen = inspect_server(ground.host, self._order(ground, InspectServer, new_id()))
        assert (seen.domain, seen.disks, seen.is_aside, seen.ports) == (None, [], False, [])

    def test_a_running_server_is_seen_whole_and_twice_the_same(self, ground: Ground, server: ServerSpec) -> None:
        seen = self.look(ground, server)
        assert seen.domain is not None
        assert (seen.domain.name, seen.domain.power_state) == (server.name, RUNNING)
        assert (seen.domain.vcpus, seen.domain.memory_mb) == (server.vcpus, server.memory_mb)
        assert seen.domain.disks == ["disk", "disk.config"]
        assert seen.domain.taps == [ground.host.network.tap_name(server.ports[0].id)]
        assert [(disk.name, disk.problem) for disk in seen.disks] == [("disk", ""), ("disk.config", "")]
        (port,) = seen.ports
        assert (port.has_tap, port.is_held, port.is_filtered, port.is_served) == (True, True, True, True)
        assert port.is_carried
        assert port.leased == port.answered == [server.ports[0].fixed_ips[0].ip_address]
        assert self.look(ground, server) == seen

    def test_a_stopped_server_is_off_and_keeps_the_rest(self, ground: Ground, server: ServerSpec) -> None:
        stop(ground.host, self._order(ground, StopServer, server.uuid, graceful_seconds=0))
        seen = self.look(ground, server)
        assert seen.domain is not None
        assert seen.domain.power_state == OFF
        assert len(seen.disks) == 2
        assert seen.ports[0].has_tap
        assert seen.ports[0].is_filtered

    def test_what_was_set_aside_is_aside(self, ground: Ground, server: ServerSpec) -> None:
        set_aside(ground.host, self._order(ground, SetAsideServer, server.uuid, graceful_seconds=0))
        seen = self.look(ground, server)
        assert (seen.domain, seen.disks, seen.is_aside) == (None, [], True)
        assert not seen.ports[0].has_tap

    def test_a_port_that_should_be_another_is_not_as_it_should_be(self, ground: Ground, server: ServerSpec) -> None:
        (other_mac,) = self.look(ground, server, mac_address="fa:16:3e:ff:ff:ff").ports
        assert not other_mac.is_filtered
        assert other_mac.leased == []
        (other_address,) = self.look(ground, server, addresses=["10.99.0.77"]).ports
        assert not other_address.is_filtered

    def test_a_port_that_nobody_asked_for_is_seen_too(self, ground: Ground, server: ServerSpec) -> None:
        seen = inspect_server(ground.host, self._order(ground, InspectServer, server.uuid))
        assert [(port.id, port.has_tap, port.is_filtered) for port in seen.ports] == [(server.ports[0].id, True, True)]

    def test_a_port_that_is_not_the_servers_goes_when_it_is_plugged_exactly(
        self, ground: Ground, server: ServerSpec
    ) -> None:
        bare = msgspec.structs.replace(server, ports=[])
        plug_vifs(ground.host, self._order(ground, PlugVifs, server.uuid, server=bare))
        assert self.look(ground, server).ports[0].has_tap
        plug_vifs(ground.host, self._order(ground, PlugVifs, server.uuid, server=server, is_exact=True))
        assert self.look(ground, server).ports[0].has_tap
        plug_vifs(ground.host, self._order(ground, PlugVifs, server.uuid, server=bare, is_exact=True))
        assert not self.look(ground, server).ports[0].has_tap
        assert ground.host.network.plugged_ports() == {}

    LOSSES = {
        "domain": lambda seen: seen.domain is None,
        "root": lambda seen: [disk.name for disk in seen.disks] == ["disk.config"],
        "image": lambda seen: "image" in seen.disks[0].problem,
        "tap": lambda seen: not seen.ports[0].has_tap,
        "rules": lambda seen: not seen.ports[0].is_filtered,
        "lease": lambda seen: seen.ports[0].leased == [],
        "metadata": lambda seen: seen.ports[0].answered == [],
        "dhcp": lambda seen: not seen.ports[0].is_served,
    }  # fmt: skip

    @pytest.mark.parametrize("name", LOSSES)
    def test_a_loss_is_seen_and_plugging_again_mends_what_is_of_the_network(
        self, ground: Ground, server: ServerSpec, name: str
    ) -> None:
        is_lost = self.LOSSES[name]
        assert not is_lost(self.look(ground, server))
        ground.losses[name](server)
        assert is_lost(self.look(ground, server))
        if name not in ("domain", "root", "image"):
            plug_vifs(ground.host, self._order(ground, PlugVifs, server.uuid, server=server))
            assert not is_lost(self.look(ground, server))
