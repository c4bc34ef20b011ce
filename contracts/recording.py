"""The record of what a release said: a sample of every kind of message, with the fingerprint of its schema.

`python -m contracts.recording` writes the record of this release; tests replay those of all releases, so that a
message of an older process is still understood (law: N works with N-1).
"""

import hashlib
import inspect as python
import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from contracts import RELEASE, compute, conductor, envelope, guests, inspection, networks, scheduling
from contracts.envelope import Message

FOLDER = Path(__file__).parent / "corpus"
_MODULES = (envelope, compute, conductor, scheduling, inspection, networks, guests)


def kinds() -> dict[str, type[Message]]:
    """Return every message of the contracts by its name."""
    return {
        name: kind
        for module in _MODULES
        for name, kind in python.getmembers(module, python.isclass)
        if issubclass(kind, Message) and kind is not Message
    }


def fingerprint(kind: type[Message]) -> str:
    """Return a digest of a message's schema: another one means that the message has changed."""
    schema = msgspec.json.schema(kind)
    _forget_descriptions(schema)
    return hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()[:16]


def _forget_descriptions(schema: Any) -> None:
    if isinstance(schema, dict):
        schema.pop("description", None)
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _forget_descriptions(inner)


def sample(kind: type[Message], *, is_full: bool) -> dict[str, Any]:
    """Return a message on the wire: with every field given, or with none but the required ones."""
    return _struct(kind, is_full=is_full)


def _struct(kind: type[Any], *, is_full: bool) -> dict[str, Any]:
    fields = inspect.type_info(kind).fields  # type: ignore[attr-defined]  # of a struct, which every message is
    return {
        field.encode_name: _value(field.type, field.name, is_full=is_full)
        for field in fields
        if is_full or field.required
    }


_PLAIN: tuple[tuple[type[inspect.Type], Any], ...] = (
    (inspect.BoolType, True), (inspect.IntType, 7), (inspect.FloatType, 1.5),
)


def _value(wanted: inspect.Type, name: str, *, is_full: bool) -> Any:
    for kind, value in _PLAIN:
        if isinstance(wanted, kind):
            return value
    match wanted:
        case inspect.ListType(item_type=inner):
            return [_value(inner, name, is_full=is_full)]
        case inspect.DictType(value_type=inner):
            return {"key": _value(inner, name, is_full=is_full)}
        case inspect.UnionType(types=types):
            first = next(one for one in types if not isinstance(one, inspect.NoneType))
            return _value(first, name, is_full=is_full)
        case inspect.StructType(cls=struct):
            return _struct(struct, is_full=is_full)
    return f"a {name}"


def record() -> dict[str, Any]:
    """Return the record of this release."""
    steps = (value for name, value in vars(conductor).items() if name.isupper() and isinstance(value, str))
    return {
        "release": RELEASE,
        "commands": {name: command.order.__name__ for name, command in sorted(compute.COMMANDS.items())},
        "conductor_tasks": sorted({*steps, *(kind.NAME for kind in _reports())}),
        "messages": {
            name: {
                "fingerprint": fingerprint(kind),
                "minimal": sample(kind, is_full=False),
                "full": sample(kind, is_full=True),
            }
            for name, kind in sorted(kinds().items())
        },
    }


def _reports() -> list[Any]:
    return [kind for kind in kinds().values() if getattr(kind, "NAME", "").startswith("conductor.")]


def path_of(release: int) -> Path:
    """Return where the record of a release lies."""
    return FOLDER / f"release-{release}.json"


if __name__ == "__main__":
    path_of(RELEASE).write_text(json.dumps(record(), indent=1, sort_keys=True) + "\n")
