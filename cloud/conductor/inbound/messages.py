"""Making a task of a host's word: nothing of what its publisher wrote around it is kept.

A Celery message names what to do next, on failure, and when others are done, and the worker does that with its own
rights. So callbacks, chains and the way back into the queue are ours, whatever the host wrote.
"""

import base64
import json
import uuid
from functools import cache
from typing import Any

import msgspec
from celery.canvas import Signature

from cloud.conductor.inbound.words import Refused, Word
from cloud.conductor.workflows.failure import on_failure
from cloud.conductor.workflows.ordering import group_prefix, joined
from cloud.core import rpc
from contracts.conductor import NOTE_OUTCOME, TAKE_ANSWER
from contracts.inbound import JOINS
from contracts.routing import HEARD_QUEUE, REPORTS_QUEUE

_SPACE = uuid.UUID("6a0f5ec7-6d3c-4bb9-8b0e-58f2f1f0a5b1")
_MOST_MEMBERS = 16


def task_message(word: Word) -> dict[str, Any]:
    """Return the message that the worker gets.

    Raises:
        Refused: the outcome belongs to a group that is not its operation's.
    """
    kwargs: dict[str, Any] = {}
    embedded: dict[str, Any] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
    group: dict[str, Any] = {}
    if not word.is_report:
        kwargs = {"operation_id": word.operation_id, "attempt": word.attempt}
    if word.task == NOTE_OUTCOME:
        embedded["chord"], group = _join(word), {"group": word.group, "group_index": word.group_index}
    elif not word.is_report and word.task != TAKE_ANSWER:
        embedded["errbacks"] = [_way_out(word)]
    return _message(_task_id(word), word, [[word.wire], kwargs, embedded], group)


def _join(word: Word) -> dict[str, Any]:
    if word.order and word.order not in JOINS.get(word.join, ()):
        raise Refused(f"{word.join[:64]!r} does not wait for {word.order}", word.host)
    is_its_own = word.group.startswith(group_prefix(word.operation_id, word.attempt))
    if word.join not in JOINS or not is_its_own or len(word.group) > len(word.operation_id) + 64:
        raise Refused(f"group {word.group[:64]!r} is not of operation {word.operation_id}", word.host)
    if word.group_index is not None and not 0 <= word.group_index < _MOST_MEMBERS:
        raise Refused(f"no group has a member {word.group_index}", word.host)
    join = _join_of(word.join)
    kwargs = {"operation_id": word.operation_id, "attempt": word.attempt}
    return {
        **join, "kwargs": kwargs,
        "options": {**join["options"], **rpc.shown(kwargs), "link_error": [_way_out(word)]},
    }  # fmt: skip


def _way_out(word: Word) -> dict[str, Any]:
    failure, kwargs = _failure(), {"operation_ids": [word.operation_id], "attempt": word.attempt}
    return {**failure, "kwargs": kwargs, "options": {**failure["options"], **rpc.shown(kwargs)}}


# Made once as the workflows make them: only the arguments differ from one word to the next.
@cache
def _failure() -> dict[str, Any]:
    return _plain(on_failure([], 0))


@cache
def _join_of(name: str) -> dict[str, Any]:
    return _plain(joined(name, "", 0))


def _task_id(word: Word) -> str:
    """Return the id under which the task's result is kept: nobody can choose one that is another's.

    The API waits for an answer by the operation's id, which only it and the host know. A member of a group counts once,
    however often it is delivered.
    """
    if word.task == TAKE_ANSWER:
        return word.operation_id
    if word.task == NOTE_OUTCOME:
        return str(uuid.uuid5(_SPACE, f"{word.host}/{word.group}/{word.order}/{word.group_index}"))
    return str(uuid.uuid4())


def queue_of(message: dict[str, Any]) -> str:
    """Return the queue in which a message of ours waits for a worker, now or when one gave it back."""
    queue: str = message["properties"]["delivery_info"]["routing_key"]
    return queue


def _message(task_id: str, word: Word, body: list[Any], group: dict[str, Any]) -> dict[str, Any]:
    # The order's own id is not known; its outcome is recorded under one that follows from what is signed.
    parent = str(uuid.uuid5(_SPACE, f"{word.host}/{word.operation_id}/{word.attempt}/{word.order}"))
    headers = {
        "lang": "py", "task": word.task, "id": task_id, "root_id": task_id, "parent_id": parent, "shadow": None,
        "eta": None, "expires": word.expires, "retries": 0, "timelimit": [None, None], "origin": word.host,
        "argsrepr": f"('{word.host}',)", "kwargsrepr": repr(body[1]), "replaced_task_nesting": 0,
        # A chord counts its members and keeps their values by itself.
        "ignore_result": word.task != TAKE_ANSWER, "group": None, "group_index": None, **group,
    }  # fmt: skip
    queue = REPORTS_QUEUE if word.is_report else HEARD_QUEUE
    properties = {
        "correlation_id": task_id, "reply_to": "", "delivery_mode": 2, "priority": 0, "body_encoding": "base64",
        "delivery_info": {"exchange": "", "routing_key": queue}, "delivery_tag": str(uuid.uuid4()),
    }  # fmt: skip
    return {
        "body": base64.b64encode(msgspec.json.encode(body)).decode(), "content-type": "application/json",
        "content-encoding": "utf-8", "headers": headers, "properties": properties,
    }  # fmt: skip


def _plain(signature: Signature) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(signature))
    return plain
