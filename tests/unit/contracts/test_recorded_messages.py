"""What earlier releases said is still understood, and what this one says is on record."""

import json
from typing import Any

import msgspec
import pytest

from contracts import RELEASE, compute, recording

RECORDS = [json.loads(path.read_text()) for path in sorted(recording.FOLDER.glob("*.json"))]
MESSAGES = [
    pytest.param(name, said, id=f"release {record['release']}: {name}")
    for record in RECORDS
    for name, said in record["messages"].items()
]
# A message goes a release after its last reader went: name -> the release in which it was last said.
GONE: dict[str, int] = {}
# Fields that a release took away, by message: what older ones put there is ignored.
FIELDS_GONE: dict[str, set[str]] = {}


def test_every_release_is_on_record():
    assert [record["release"] for record in RECORDS] == list(range(1, RELEASE + 1))


@pytest.mark.parametrize(("name", "said"), MESSAGES)
def test_an_older_message_is_understood_whole(name, said):
    if GONE.get(name, RELEASE) < RELEASE:
        return
    kind = recording.kinds()[name]
    kind.from_wire(said["minimal"])
    heard = kind.from_wire({**said["full"], "unheard_of": 1}).to_wire()
    lost = FIELDS_GONE.get(name, set())
    expected = {key: value for key, value in said["full"].items() if key not in lost}
    assert _as_said(heard, expected) == expected


def _as_said(heard: Any, said: Any) -> Any:
    """Return what was heard without the fields that nobody spoke of, at any depth: a later release has more of them."""
    if isinstance(said, dict) and isinstance(heard, dict):
        return {key: _as_said(heard[key], said[key]) for key in said if key in heard}
    if isinstance(said, list) and isinstance(heard, list) and len(heard) == len(said):
        return [_as_said(*pair) for pair in zip(heard, said, strict=True)]
    return heard


@pytest.mark.parametrize(("name", "said"), MESSAGES)
def test_an_older_process_understands_what_is_said_now(name, said):
    """What was required then is still given, and with a type that can be read: a subset of what is said now."""
    if GONE.get(name, RELEASE) < RELEASE:
        return
    full = recording.sample(recording.kinds()[name], is_full=True)
    assert set(said["minimal"]) <= set(full)
    for key in set(said["full"]) & set(full):
        assert type(full[key]) is type(said["full"][key]), key


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"release {record['release']}")
def test_every_command_and_step_of_an_older_release_is_served(record):
    for name, order in record["commands"].items():
        assert compute.COMMANDS[name].order.__name__ == order
    now = recording.record()
    assert set(record["conductor_tasks"]) <= set(now["conductor_tasks"])


def test_what_is_said_now_is_on_record():
    assert RECORDS[-1] == recording.record(), "the contracts changed: run `python -m contracts.recording`"


def test_commands_name_the_release_that_brought_them():
    known = {record["release"]: set(record["commands"]) for record in RECORDS}
    for name, command in compute.COMMANDS.items():
        assert min(release for release, names in known.items() if name in names) == command.since


def test_a_changed_message_has_another_fingerprint():
    class Changed(compute.StopServer, frozen=True, kw_only=True):
        more: str = ""

    assert recording.fingerprint(Changed) != recording.fingerprint(compute.StopServer)
    assert recording.fingerprint(compute.StopServer) == recording.fingerprint(compute.StopServer)


def test_a_record_is_what_a_client_would_send():
    for name, kind in recording.kinds().items():
        full = recording.sample(kind, is_full=True)
        assert msgspec.json.decode(msgspec.json.encode(kind.from_wire(full))) == full, name
