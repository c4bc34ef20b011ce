"""Under which MAC addresses the guests of ports without port security use their ports' addresses.

Such a guest may change its MAC address, or stand before others. Other hosts know the port's own one alone, so what they
send to an address of the port comes under that, and the guest would not hear it. The kernel notes who sends from the
port's addresses, in a set of a bounded size for each port; the agent reads it now and then, and the last frame's MAC
address is what frames for that address are delivered under. Nothing leaves the host, and no other port is concerned:
a frame is given another name only where it leaves by the tap that its own name led to.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, NamedTuple

from compute_agent.network import nft
from compute_agent.network.forwarding import Forwarding, link_local
from compute_agent.network.links import Links
from compute_agent.network.names import Mark, gateway_cable_name, interface_cable_name, leg_name, tap_name
from compute_agent.network.rule_digests import Ruleset
from contracts.networks import GuardSpec, HostNetworks

# The maps from a tap to what is done with its frames, and how the names of these chains begin.
_FROM, _TO = _MAPS = ("senders", "receivers")
_PREFIXES = {_FROM: "from_", _TO: "to_"}
_AFTER_GUARDS = -290  # what a port may not send was dropped before, at -300
_BEFORE_BR_NETFILTER = -5
_SET_SIZE = 256
_FORGET_SECONDS = 7 * 86_400
_MANY = 1  # the bit of a MAC address's first octet that says it stands for more than one
_VERSIONS = (4, 6)
# Where it stands, by IP version, from which address somebody sends, and under which MAC address.
_SENDERS = (
    (4, ("ip", "saddr"), ("ether", "saddr")), (4, ("arp", "saddr ip"), ("arp", "saddr ether")),
    (6, ("ip6", "saddr"), ("ether", "saddr")),
)  # fmt: skip


class Sighting(NamedTuple):
    """Somebody sent from an address under a MAC address. `left_seconds`: until it is forgotten; the newest has most."""

    left_seconds: int
    address: str
    mac_address: str


Seen = Mapping[str, Sequence[Sighting]]  # by the name of the set


@dataclass(frozen=True)
class Watched:
    """A port whose guest may use any MAC address. `bridge`: the index of the one that its tap is in."""

    id: str
    bridge: int
    mac_address: str
    addresses: tuple[str, ...]

    def of_version(self, version: int) -> list[str]:
        """Return its addresses of an IP version; by IPv6 also the one that it gives itself on the link."""
        own = [one for one in self.addresses if (":" in one) == (version == 6)]
        return [*own, link_local(self.mac_address)] if own and version == 6 else own

    @property
    def sets(self) -> list[str]:
        """The names of the sets of who sends from its addresses."""
        return [_set_name(self.id, version) for version in _VERSIONS]


class Sightings:
    """A firewall table of its own, which is there while a port needs it. Who changes it holds the lock of the guards.

    Args:
        mark: of our installation.
    """

    def __init__(self, mark: Mark) -> None:
        self._mark, self._table = mark, nft.Table("bridge", mark.sightings_table)
        self._is_known_gone = False

    def has_work(self, document: HostNetworks) -> bool:
        """Whether there are ports to follow, or may be something left of those that there were."""
        return bool(_unsecured(document)) or not self._is_known_gone

    def follow(self, document: HostNetworks) -> None:
        """Let frames reach guests under the MAC addresses that these use now."""
        ports = _watched(document)
        rows = nft.listing("bridge", self._table.name)
        if not ports:
            if rows:
                nft.apply([self._table.delete()])
            self._is_known_gone = True
            return
        self._is_known_gone = False
        _pin(self._mark, document, ports)
        there, seen = Ruleset(rows), _read(rows)
        newest = {port.id: _newest(port, seen, there) for port in ports}
        led = {port.id: _led(port, newest[port.id].values()) for port in ports}
        commands = [*self._difference(there, ports, led), *self._less(ports, seen, newest)]
        if commands:
            nft.apply(commands)

    def _difference(
        self, there: Ruleset, ports: Sequence[Watched], led: Mapping[str, Mapping[str, str]]
    ) -> Iterator[nft.Command]:
        base = self._base()
        if not there.has(base):
            yield from base
        sets = {_set_name(port.id, version): version for port in ports for version in _VERSIONS}
        for name in sorted(sets.keys() - there.sets.keys()):
            yield self._table.sighting_set(name, sets[name], _SET_SIZE)
        jumps: dict[str, dict[str, str]] = {name: {} for name in _MAPS}
        for port in ports:
            for name, rules in ((_FROM, _noting(port)), (_TO, _leading(port, led[port.id]))):
                chain = jumps[name][tap_name(port.id)] = _PREFIXES[name] + port.id
                if not there.has_chain(chain, rules):
                    yield from self._table.fill(chain, rules)
                if there.jumps.get(name, {}).get(tap_name(port.id)) != chain:
                    yield self._table.map_element("add", name, tap_name(port.id), chain)
        yield from self._stale(there, jumps, sets)

    def _base(self) -> list[nft.Command]:
        table = self._table
        return [
            table.add(),
            *(table.verdict_map(name) for name in _MAPS),
            table.hook("sending", "prerouting", _AFTER_GUARDS), table.flush("sending"),
            table.rule("sending", nft.jump_by_link(_FROM)),
            table.hook("reaching", "forward", _BEFORE_BR_NETFILTER), table.flush("reaching"),
            table.rule("reaching", nft.jump_by_link(_TO, "oifname")),
        ]  # fmt: skip

    def _stale(
        self, there: Ruleset, jumps: Mapping[str, Mapping[str, str]], sets: Collection[str]
    ) -> Iterator[nft.Command]:
        for name, taps in there.jumps.items():
            gone = {tap: chain for tap, chain in taps.items() if tap not in jumps[name]}
            yield from (self._table.map_element("delete", name, tap, chain) for tap, chain in gone.items())
            yield from (self._table.flush(chain) for chain in gone.values())
            yield from (self._table.delete_chain(chain) for chain in gone.values())
        yield from (self._table.delete_set(name) for name in there.sets if name not in sets)

    def _less(
        self, ports: Sequence[Watched], seen: Seen, newest: Mapping[str, Mapping[str, Sighting]]
    ) -> Iterator[nft.Command]:
        """Yield what forgets all but the newest of each address: what is there beside it next time is newer."""
        for port in ports:
            for name in port.sets:
                old = sorted(set(seen.get(name, ())) - set(newest[port.id].values()))
                if old:
                    yield self._table.delete_sightings(name, [(one.address, one.mac_address) for one in old])


def _unsecured(document: HostNetworks) -> dict[str, GuardSpec]:
    return {id: guard for id, guard in document.guards.items() if not guard.is_secured}


def _watched(document: HostNetworks) -> list[Watched]:
    """Return the ports without port security that are plugged."""
    with Links() as links:
        taps = {id: links.find(tap_name(id)) for id in sorted(_unsecured(document))}
    bridges = {id: tap.get_attr("IFLA_MASTER") for id, tap in taps.items() if tap is not None}
    return [_watched_port(id, bridge, document.guards[id]) for id, bridge in bridges.items() if bridge]


def _watched_port(id: str, bridge: int, guard: GuardSpec) -> Watched:
    return Watched(id, bridge, guard.mac_address, tuple(str(ip_address(one)) for one in guard.addresses))


def _pin(mark: Mark, document: HostNetworks, ports: Sequence[Watched]) -> None:
    """Let the bridges of these ports lead what is for others in them to those, and nowhere else.

    Else who may send under any name would take another's by a single frame; and the name of a port whose guest uses
    another one would be forgotten, so that what is for it would be heard by all ports of the bridge.
    """
    owners = _owners(mark, document)
    with Links() as links, Forwarding() as forwarding:
        for bridge in {port.bridge for port in ports}:
            for name, index in links.indexes_in(bridge).items():
                if name in owners:
                    forwarding.pin(index, owners[name])


def _owners(mark: Mark, document: HostNetworks) -> dict[str, str]:
    """Return {link: MAC address} of all that is in bridges of this host and not elsewhere."""
    found = {tap_name(id): guard.mac_address for id, guard in document.guards.items()}
    found |= {leg_name(id): mark.leg_mac(id) for id in document.networks}
    for router in document.routers.values():
        found |= {interface_cable_name(port.port_id): port.mac_address for port in router.interfaces}
        if router.gateway:
            found[gateway_cable_name(router.gateway.port_id)] = router.gateway.mac_address
    return found


def _set_name(port_id: str, version: int) -> str:
    return f"seen{version}_{port_id}"


def _noting(port: Watched) -> list[nft.Rule]:
    """Return what notes who sends from the port's addresses, or says by ARP that it has them."""
    return [
        [nft.field(*field, nft.one_of(own)), nft.note_pair(field, mac, _set_name(port.id, version), _FORGET_SECONDS)]
        for version, field, mac in _SENDERS if (own := port.of_version(version))
    ]  # fmt: skip


def _leading(port: Watched, led: Mapping[str, str]) -> list[nft.Rule]:
    """Return what delivers frames for the port under the MAC addresses that its guest uses for its addresses."""
    return [_renaming(port, address, mac_address) for address, mac_address in sorted(led.items())]


def _renaming(port: Watched, address: str, mac_address: str) -> nft.Rule:
    for_address = nft.field("ip6" if ":" in address else "ip", "daddr", address)
    return [nft.field("ether", "daddr", port.mac_address), for_address, nft.to_mac(mac_address)]


def _read(rows: Iterable[Mapping[str, Any]]) -> Seen:
    """Return the sightings in the sets that nft lists."""
    found: dict[str, list[Sighting]] = defaultdict(list)
    for row in rows:
        for one in row.get("set", {}).get("elem", ()):
            address, mac_address = one["elem"]["val"]["concat"]
            found[row["set"]["name"]].append(Sighting(one["elem"]["expires"], address, mac_address))
    return found


def _newest(port: Watched, seen: Seen, there: Ruleset) -> dict[str, Sighting]:
    """Return the newest sighting of each of the port's addresses.

    nft tells no more than seconds. Of two in the same second that one is newer which is not followed yet.
    """
    known = there.chains.get(_PREFIXES[_TO] + port.id, ())
    own = {address for version in _VERSIONS for address in port.of_version(version)}
    of_address: dict[str, list[Sighting]] = defaultdict(list)
    for one in (one for name in port.sets for one in seen.get(name, ())):
        if one.address in own and _is_somebody(one.mac_address):
            of_address[one.address].append(one)
    found = {}
    for address, sightings in of_address.items():
        names = [one.mac_address for one in sightings if nft.stamp(_renaming(port, address, one.mac_address)) in known]
        followed = names or [port.mac_address]
        found[address] = max(sightings, key=lambda one: (one.left_seconds, one.mac_address not in followed, one))
    return found


def _led(port: Watched, newest: Iterable[Sighting]) -> dict[str, str]:
    """Return {address: MAC address} of the port's addresses that were last used under another one than its own."""
    return {one.address: one.mac_address for one in newest if one.mac_address != port.mac_address}


def _is_somebody(mac_address: str) -> bool:
    """Whether a MAC address can be an interface's: one that a guest says it has may be anything."""
    return not int(mac_address[:2], 16) & _MANY and mac_address != "00:00:00:00:00:00"
