"""Whether the rules in the kernel are those that a port should have.

nft lists a rule in other words than it was given (it leaves out what it can infer), so that rules are compared by
what decides: the addresses and numbers that they match, and the verdict, in their order.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from compute_agent.network.nft import Command, Expression

Digest = tuple[str, frozenset[str]]
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_VERDICTS = ("accept", "drop", "masquerade", "jump", "vmap")


class Ruleset:
    """The chains and jumps of one table, as nft lists them.

    Args:
        rows: of `nft -j list table`.
    """

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rules: dict[str, list[Digest]] = {}
        self._jumps: dict[str, str] = {}
        for row in rows:
            if "rule" in row:
                self._rules.setdefault(row["rule"]["chain"], []).append(_digest(row["rule"]["expr"]))
            for link, verdict in row.get("map", {}).get("elem", []):
                self._jumps[link] = verdict.get("jump", {}).get("target", "")

    def has(self, chain: str, commands: list[Command], link: str = "") -> bool:
        """Whether a chain has exactly the rules that commands would add; with a link, also the jump from it."""
        added = (command["add"]["rule"] for command in commands if "rule" in command.get("add", {}))
        wanted = [_digest(rule["expr"]) for rule in added if rule["chain"] == chain]
        return self._rules.get(chain, []) == wanted and (not link or self._jumps.get(link) == chain)


def _digest(expressions: list[Expression]) -> Digest:
    verdict = next((word for one in expressions for word in _VERDICTS if word in one), "")
    values = {value for one in expressions if "match" in one for value in _values(one["match"]["right"])}
    return verdict, frozenset(values)


def _values(right: Any) -> Iterator[str]:
    match right:
        case bool():
            return
        case int():
            yield str(right)
        case str():
            yield from _address(right)
        case {"prefix": {"addr": address, "len": length}}:
            yield f"{address}/{length}"
        case {"set": values} | {"range": values}:
            for value in values:
                yield from _values(value)


def _address(text: str) -> Iterator[str]:
    """Yield an address in its one form; words such as `arp` are left out, because nft infers them."""
    if _MAC.fullmatch(text):
        yield text
        return
    try:
        yield str(ipaddress.ip_address(text))
    except ValueError:
        return
