"""Celery's JSON says what kombu's own says, and understands it."""

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from kombu import serialization
from kombu.transport import redis
from kombu.utils import json as slow
from kombu.utils.imports import symbol_by_name

from contracts.broker import celery_settings
from contracts.workers import fast_json

VALUES = [
    None, True, 0, -1, 2**70, 1.5, "", 'ü\u2028\n"\\', [], {}, [[1, "a"], {"b": [None]}], {1: "one"}, (1, 2),
    datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), {"at": [datetime(2030, 1, 2, tzinfo=UTC)]}, Decimal("1.10"), b"bytes",
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_each_understands_the_other(value):
    expected = slow.loads(slow.dumps(value))
    assert fast_json.loads(fast_json.dumps(value)) == expected
    assert slow.loads(fast_json.dumps(value)) == expected
    assert fast_json.loads(slow.dumps(value).encode()) == expected


def test_what_only_kombu_reads():
    assert str(fast_json.loads('{"x": NaN}')) == "{'x': nan}"
    assert fast_json.loads(slow.dumps({"id": uuid.UUID(int=7)})) == {"id": uuid.UUID(int=7)}
    for broken in ("", "{", "[1,]", '{"a" 1}'):
        with pytest.raises(ValueError, match=r".+"):
            fast_json.loads(broken)


def test_what_is_no_json():
    with pytest.raises(TypeError):
        fast_json.dumps(object())


def test_workers_speak_it():
    settings = celery_settings("redis://127.0.0.1:1/0")
    assert issubclass(symbol_by_name(settings["broker_transport"]), redis.Transport)  # who loads it speaks so
    content_type, encoding, text = serialization.dumps({"a": [1]}, serializer="json")
    assert (content_type, encoding, text) == ("application/json", "utf-8", '{"a":[1]}')
    assert serialization.loads(text, content_type, encoding, accept=[content_type]) == {"a": [1]}
