"""What of our rules is in the kernel: chains by the comments of their rules, jumps, and the elements of sets.

nft lists a rule in other words than it was given (it leaves out what it can infer, and names numbers), so each rule of
ours carries a digest of what it was made from.
"""

from collections.abc import Iterable
from typing import Any

from compute_agent.network.nft import Command, Rule, stamp


class Ruleset:
    """The chains, jumps and sets of one table, as nft lists them.

    Args:
        rows: of `nft -j list table`.

    Attributes:
        chains: {chain: stamps of its rules}; hooked ones too.
        jumps: {map: {link: chain}}. sets: {set: addresses and networks}.
    """

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.chains: dict[str, list[str]] = {}
        self.jumps: dict[str, dict[str, str]] = {}
        self.sets: dict[str, set[str]] = {}
        for row in rows:
            if "chain" in row:
                self.chains.setdefault(row["chain"]["name"], [])
            elif "rule" in row:
                self.chains.setdefault(row["rule"]["chain"], []).append(row["rule"].get("comment", ""))
            elif "map" in row:
                jumps = row["map"].get("elem", [])
                self.jumps[row["map"]["name"]] = {link: verdict["jump"]["target"] for link, verdict in jumps}
            elif "set" in row:
                self.sets[row["set"]["name"]] = {_text(one) for one in row["set"].get("elem", [])}

    def has(self, commands: Iterable[Command]) -> bool:
        """Whether every chain that the commands add rules to has exactly those."""
        wanted: dict[str, list[str]] = {}
        for command in commands:
            rule = command.get("add", {}).get("rule")
            if rule:
                wanted.setdefault(rule["chain"], []).append(rule["comment"])
        return all(self.chains.get(chain) == stamps for chain, stamps in wanted.items())

    def has_chain(self, chain: str, rules: Iterable[Rule]) -> bool:
        """Whether the chain is there with exactly these rules."""
        return self.chains.get(chain) == [stamp(rule) for rule in rules]


def _text(element: Any) -> str:
    if isinstance(element, dict) and "prefix" in element:
        return f"{element['prefix']['addr']}/{element['prefix']['len']}"
    return str(element)
