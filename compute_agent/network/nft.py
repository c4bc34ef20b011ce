"""nftables, spoken to in JSON made from objects: nothing that came from outside is ever parsed as a rule."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from compute_agent.errors import VifPlugFailed

Command = dict[str, Any]
Expression = dict[str, Any]

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
        """Append a rule."""
        return {"add": {"rule": {**self._place, "chain": chain, "expr": list(expressions)}}}

    def verdict_map(self, name: str) -> Command:
        """Have a map from the name of a link to a verdict."""
        return {"add": {"map": {**self._place, "name": name, "type": "ifname", "map": "verdict"}}}

    def map_element(self, verb: str, name: str, link: str, chain: str) -> Command:
        """Add (`add`) or remove (`delete`) a jump in a verdict map."""
        return {verb: {"element": {**self._place, "name": name, "elem": [[link, {"jump": {"target": chain}}]]}}}


ACCEPT: Expression = {"accept": None}
DROP: Expression = {"drop": None}
MASQUERADE: Expression = {"masquerade": None}


def meta(key: str, value: Any, op: str = "==") -> Expression:
    """Match what the kernel knows of the packet, e.g. `iifname`."""
    return {"match": {"op": op, "left": {"meta": {"key": key}}, "right": value}}


def field(protocol: str, name: str, value: Any, op: str = "==") -> Expression:
    """Match a field of a header, e.g. `arp`, `saddr ip`."""
    return {"match": {"op": op, "left": {"payload": {"protocol": protocol, "field": name}}, "right": value}}


def state(*states: str) -> Expression:
    """Match what connection tracking says."""
    return {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": list(states)}}


def prefix(address: str, length: int) -> dict[str, Any]:
    """Return a network, as a value to match."""
    return {"prefix": {"addr": address, "len": length}}


def one_of(values: list[str]) -> Any:
    """Return a set of values to match; a single one stands for itself."""
    return values[0] if len(values) == 1 else {"set": values}


def jump_by_link(map_name: str) -> Expression:
    """Let a verdict map decide by the link that the packet came in through."""
    return {"vmap": {"key": {"meta": {"key": "iifname"}}, "data": f"@{map_name}"}}
