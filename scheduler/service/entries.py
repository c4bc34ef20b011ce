"""Reads an entry of the feed. One bad host does not cost the others: it is named and left out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from contracts.scheduling import HostState


@dataclass
class Entry:
    """Changes of hosts, or, when `is_full`, all hosts that there are.

    Attributes:
        names: every host that the entry names, also those whose state is refused.
        refused: why states were left out, a sentence each.
    """

    is_full: bool = False
    states: list[HostState] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


_ALL = msgspec.json.Decoder(list[HostState])


def read_entry(fields: Mapping[bytes, bytes]) -> Entry:
    """Return what the fields of a stream entry say. Never raises: what cannot be read is among `refused`."""
    text = fields.get(b"hosts", b"")
    try:
        states = _ALL.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        entry = _read_one_by_one(text)
        # An entry in which no host can be read cannot tell who is gone.
        entry.is_full = fields.get(b"full") == b"1" and len(entry.names) > 0
        return entry
    return Entry(is_full=fields.get(b"full") == b"1", states=states, names={state.host for state in states})


def _read_one_by_one(text: bytes) -> Entry:
    try:
        rows = json.loads(text)
    except ValueError as exc:
        return Entry(refused=[f"an entry is not JSON: {exc}"])
    if not isinstance(rows, list):
        return Entry(refused=["an entry is not a list of hosts"])
    entry = Entry()
    for row in rows:
        _read_row(row, entry)
    return entry


def _read_row(row: object, entry: Entry) -> None:
    name = row.get("host") if isinstance(row, dict) else None
    if isinstance(name, str):
        entry.names.add(name)
    try:
        entry.states.append(msgspec.convert(row, HostState))
    except (msgspec.ValidationError, OverflowError) as exc:
        entry.refused.append(f"host {name!r}: {exc}")
