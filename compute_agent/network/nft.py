"""nftables, spoken to in JSON made from objects: nothing that came from outside is ever parsed as a rule."""

import hashlib
import json
import subprocess
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Any

from compute_agent.errors import VifPlugFailed

Command = dict[str, Any]
Expression = dict[str, Any]
Rule = Sequence[Expression]

_SECONDS = 20


def apply(commands: list[Command]) -> None:
    """Apply the commands in one transaction, in the namespace of the calling thread.

    Raises:
        VifPlugFailed: nft refused; nothing was changed.
    """
    result = _run(["nft", "-j", "-f", "-"], json.dumps({"nftables": commands}))
    if result.returncode:
        raise VifPlugFailed(f"nft: {result.stderr.strip()[:500]}")


def tables() -> set[tuple[str, str]]:
    """Return (family, name) of all tables of the namespace."""
    result = _run(["nft", "-j", "list", "tables"], "")
    if result.returncode:
        raise VifPlugFailed(f"nft: {result.stderr.strip()[:500]}")
    rows = json.loads(result.stdout)["nftables"]
    return {(row["table"]["family"], row["table"]["name"]) for row in rows if "table" in row}


def listing(family: str, name: str) -> list[dict[str, Any]]:
    """Return the objects of a table as nft describes them; none for a table that is not there."""
    result = _run(["nft", "-j", "list", "table", family, name], "")
    if result.returncode:
        if (family, name) in tables():
            raise VifPlugFailed(f"nft: {result.stderr.strip()[:500]}")
        return []
    rows: list[dict[str, Any]] = json.loads(result.stdout)["nftables"]
    return rows


def _run(argv: list[str], text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False)


@dataclass(frozen=True)
class Table:
    """A table, and the commands that fill it."""

    family: str
    name: str

    @property
    def _place(self) -> dict[str, str]:
        return {"family": self.family, "table": self.name}

    def add(self) -> Command:
        """Have the table."""
        return {"add": {"table": {"family": self.family, "name": self.name}}}

    def delete(self) -> Command:
        """Remove the table with all in it; it must exist."""
        return {"delete": {"table": {"family": self.family, "name": self.name}}}

    def hook(self, chain: str, hook: str, priority: int, *, kind: str = "filter", policy: str = "accept") -> Command:
        """Have a chain that the kernel calls."""
        base = {"type": kind, "hook": hook, "prio": priority, "policy": policy}
        return {"add": {"chain": {**self._place, "name": chain, **base}}}

    def chain(self, chain: str) -> Command:
        """Have a chain that rules jump to."""
        return {"add": {"chain": {**self._place, "name": chain}}}

    def flush(self, chain: str) -> Command:
        """Empty a chain."""
        return {"flush": {"chain": {**self._place, "name": chain}}}

    def delete_chain(self, chain: str) -> Command:
        """Remove an empty chain that nothing jumps to."""
        return {"delete": {"chain": {**self._place, "name": chain}}}

    def rule(self, chain: str, *expressions: Expression) -> Command:
        """Append a rule, with a comment that it is known by: nft lists rules in other words than it was given."""
        expr = list(expressions)
        return {"add": {"rule": {**self._place, "chain": chain, "expr": expr, "comment": stamp(expr)}}}

    def fill(self, chain: str, rules: Iterable[Rule]) -> list[Command]:
        """Have exactly these rules in a chain that rules jump to."""
        return [self.chain(chain), self.flush(chain), *(self.rule(chain, *rule) for rule in rules)]

    def verdict_map(self, name: str) -> Command:
        """Have a map from the name of a link to a verdict."""
        return {"add": {"map": {**self._place, "name": name, "type": "ifname", "map": "verdict"}}}

    def map_element(self, verb: str, name: str, link: str, chain: str) -> Command:
        """Add (`add`) or remove (`delete`) a jump in a verdict map."""
        return {verb: {"element": {**self._place, "name": name, "elem": [[link, {"jump": {"target": chain}}]]}}}

    def address_set(self, name: str, version: int) -> Command:
        """Have a set of addresses and networks of an IP version."""
        kind = f"ipv{version}_addr"
        return {"add": {"set": {**self._place, "name": name, "type": kind, "flags": ["interval"]}}}

    def sighting_set(self, name: str, version: int, size: int) -> Command:
        """Have a set of at most so many pairs of an address and a MAC address, which rules fill and time empties."""
        kinds = [f"ipv{version}_addr", "ether_addr"]
        return {"add": {"set": {**self._place, "name": name, "type": kinds, "size": size, "flags": ["timeout"]}}}

    def delete_sightings(self, name: str, pairs: Iterable[tuple[str, str]]) -> Command:
        """Remove pairs, which must be there."""
        elements = [{"concat": list(pair)} for pair in pairs]
        return {"delete": {"element": {**self._place, "name": name, "elem": elements}}}

    def set_elements(self, verb: str, name: str, addresses: Iterable[str]) -> Command:
        """Add (`add`) addresses and networks to a set or remove (`delete`) them."""
        return {verb: {"element": {**self._place, "name": name, "elem": [spelled(one) for one in addresses]}}}

    def delete_set(self, name: str) -> Command:
        """Remove a set that no rule names."""
        return {"delete": {"set": {**self._place, "name": name}}}


ACCEPT: Expression = {"accept": None}
DROP: Expression = {"drop": None}
MASQUERADE: Expression = {"masquerade": None}
_MARK: Expression = {"meta": {"key": "mark"}}


def meta(key: str, value: Any, op: str = "==") -> Expression:
    """Match what the kernel knows of the packet, e.g. `iifname`."""
    return {"match": {"op": op, "left": {"meta": {"key": key}}, "right": value}}


def field(protocol: str, name: str, value: Any, op: str = "==") -> Expression:
    """Match a field of a header, e.g. `arp`, `saddr ip`."""
    return {"match": {"op": op, "left": {"payload": {"protocol": protocol, "field": name}}, "right": value}}


def nd_target(addresses: Collection[str], op: str = "==") -> Expression:
    """Match the address that a neighbour solicitation or advertisement is about; nft 1.0.6 has no word for it."""
    place = {"base": "th", "offset": 64, "len": 128}
    return {"match": {"op": op, "left": {"payload": place}, "right": {"set": [_as_number(one) for one in addresses]}}}


def _as_number(address: str) -> Any:
    network = IPv6Network(address, strict=False)
    first, last = (f"{int(one):#034x}" for one in (network.network_address, network.broadcast_address))
    return first if first == last else {"range": [first, last]}


def state(*states: str) -> Expression:
    """Match what connection tracking says."""
    return {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": list(states)}}


def status(name: str) -> Expression:
    """Match a connection of which connection tracking says so, e.g. `dnat`: its destination is translated."""
    return {"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": name}}


def source_nat(address: str) -> Expression:
    """Let the connection come from another address."""
    return {"snat": {"addr": address}}


def destination_nat(address: str) -> Expression:
    """Lead the connection to another address."""
    return {"dnat": {"addr": address}}


def to_mac(address: str) -> Expression:
    """Let a bridge deliver the frame to another MAC address."""
    return {"mangle": {"key": {"payload": {"protocol": "ether", "field": "daddr"}}, "value": address}}


def note_pair(address: tuple[str, str], mac_address: tuple[str, str], name: str, seconds: int) -> Expression:
    """Note two fields of headers, each as (protocol, field), in a set; the pair is forgotten after this time."""
    fields = [{"payload": {"protocol": protocol, "field": field}} for protocol, field in (address, mac_address)]
    element = {"elem": {"val": {"concat": fields}, "timeout": seconds}}
    return {"set": {"op": "update", "elem": element, "set": f"@{name}"}}


def prefix(address: str, length: int) -> dict[str, Any]:
    """Return a network, as a value to match."""
    return {"prefix": {"addr": address, "len": length}}


def one_of(addresses: Collection[str]) -> Any:
    """Return a set of addresses and networks to match; a single one stands for itself."""
    values = [spelled(one) for one in without_overlaps(addresses)]
    return values[0] if len(values) == 1 else {"set": values}


def without_overlaps(addresses: Collection[str]) -> list[str]:
    """Return addresses and networks of one IP version, without those that others hold: nft takes no overlap."""
    alone = {one if ":" not in one else str(ip_address(one)) for one in addresses if "/" not in one}
    wide: list[Any] = []
    for network in sorted({ip_network(one, strict=False) for one in addresses if "/" in one}):
        if not wide or not network.subnet_of(wide[-1]):  # a wider one sorts before all that it holds
            wide.append(network)
    if wide:  # else there may be thousands, and nothing to ask of each
        alone = {one for one in alone if not any(ip_address(one) in network for network in wide)}
    return [*sorted(alone), *(_shortest(network) for network in wide)]


def _shortest(network: Any) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def spelled(address: str) -> Any:
    """Return an address or a network as nft's JSON has it."""
    base, _, length = address.partition("/")
    return prefix(base, int(length)) if length else base


def stamp(expressions: Rule) -> str:
    """Return what a rule is known by: another one means another rule."""
    return hashlib.sha256(json.dumps(list(expressions), sort_keys=True).encode()).hexdigest()[:16]


def mark_has(bits: int) -> Expression:
    """Match a packet that carries these bits in its mark."""
    return {"match": {"op": "==", "left": {"&": [_MARK, bits]}, "right": bits}}


def mark_with(bits: int) -> Expression:
    """Put bits into the packet's mark."""
    return {"mangle": {"key": _MARK, "value": {"|": [_MARK, bits]}}}


def mark_without(bits: int) -> Expression:
    """Take bits from the packet's mark."""
    return {"mangle": {"key": _MARK, "value": {"&": [_MARK, 0xFFFFFFFF ^ bits]}}}


def in_zone(number: int) -> Expression:
    """Have the packet's connection looked up among those of a zone."""
    return {"mangle": {"key": {"ct": {"key": "zone"}}, "value": number}}


def jump(chain: str) -> Expression:
    """Go through another chain, and on with this one if that came to no verdict."""
    return {"jump": {"target": chain}}


def jump_by_link(map_name: str, key: str = "iifname") -> Expression:
    """Let a verdict map decide by the link that the packet came in through (or, `oifname`, that it leaves by)."""
    return {"vmap": {"key": {"meta": {"key": key}}, "data": f"@{map_name}"}}
