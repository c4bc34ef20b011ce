"""Reading a message of the inbound queue: anybody's bytes, until a signature proves them a host's word."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from cloud.compute.services.keyring import Keyring
from contracts.envelope import Outcome
from contracts.inbound import HEARD, REPORTS
from contracts.routing import HOST_NAME
from contracts.signing import WORD, is_signed

MOST_BYTES = 2**20
_MOST_CHARACTERS = 64


class Refused(Exception):
    """A message is not let in. `host` is who said it, where that is proven."""

    def __init__(self, reason: str, host: str = "") -> None:
        super().__init__(reason)
        self.host = host


class _Headers(msgspec.Struct):
    task: str
    group: str | None = None
    group_index: int | None = None
    expires: str | None = None


class _Properties(msgspec.Struct):
    body_encoding: str = ""


class _Envelope(msgspec.Struct):
    body: bytes
    headers: _Headers
    properties: _Properties
    content_type: str = msgspec.field(name="content-type", default="")


class _Step(msgspec.Struct):
    operation_id: str = ""
    attempt: int = 0


class _Chord(msgspec.Struct):
    task: str = ""


class _Embedded(msgspec.Struct):
    chord: _Chord | None = None


_envelope = msgspec.json.Decoder(_Envelope)
_body = msgspec.json.Decoder(tuple[tuple[dict[str, Any]], _Step, _Embedded])


@dataclass(frozen=True)
class Word:
    """What a host said, proven to be its own, and of what the publisher wrote beside it what may matter."""

    task: str
    host: str
    wire: dict[str, Any]
    size: int
    operation_id: str = ""
    attempt: int = 0
    order: str = ""
    group: str = ""
    group_index: int | None = None
    join: str = ""
    expires: str | None = None

    @property
    def is_report(self) -> bool:
        """Whether it is no answer to an order."""
        return self.task in REPORTS


def read(raw: bytes, keyring: Keyring, *, accepts_unsigned: bool = False) -> Word:
    """Return the word that a message holds.

    Args:
        raw: what lay in the queue.
        keyring: where the hosts' keys are.
        accepts_unsigned: believe hosts that were never enrolled without a signature.

    Raises:
        Refused: it is too large, no message, asks for what no host may ask for, or is not signed.
    """
    if len(raw) > MOST_BYTES:
        raise Refused(f"{len(raw)} bytes")
    try:
        envelope = _envelope.decode(raw)
        (wire,), step, embedded = _body.decode(_body_of(envelope))
    except (ValueError, RecursionError) as error:
        raise Refused(f"no message: {str(error)[:100]}") from error
    task = envelope.headers.task
    name = _signed_as(task, wire)
    host = wire.get("host")
    if not isinstance(host, str) or not HOST_NAME.fullmatch(host):
        raise Refused(f"{task[:_MOST_CHARACTERS]} names no host")
    _prove(name, host, wire, keyring, accepts_unsigned=accepts_unsigned)
    headers = envelope.headers
    common = {"task": task, "host": host, "wire": wire, "size": len(raw), "expires": _moment(headers.expires)}
    if task in REPORTS:
        return Word(**common)
    operation_id, attempt = _meant(wire, step)
    return Word(
        **common, operation_id=operation_id, attempt=attempt, order=name, group=headers.group or "",
        group_index=headers.group_index, join=embedded.chord.task if embedded.chord else "",
    )  # fmt: skip


def _body_of(envelope: _Envelope) -> bytes:
    if envelope.properties.body_encoding != "base64" or envelope.content_type != "application/json":
        raise ValueError("the body is not what Celery writes")
    return envelope.body


def _signed_as(task: str, wire: dict[str, Any]) -> str:
    """Return the name that the signature is for: that of the report, or of the order that the outcome is of."""
    if task in REPORTS:
        return task
    order = wire.get("order", "")
    orders = HEARD.get(task)
    if orders is None or not isinstance(order, str) or (order and order not in orders):
        raise Refused(f"hosts may not ask for {task[:_MOST_CHARACTERS]!r} with {str(order)[:_MOST_CHARACTERS]!r}")
    return order


def _prove(name: str, host: str, wire: dict[str, Any], keyring: Keyring, *, accepts_unsigned: bool) -> None:
    known = keyring.find(host)
    if known is None:
        # A host that had a credential once is never believed without one: it could be anybody.
        if not accepts_unsigned:
            raise Refused(f"host {host} has no credential")
    elif known.key is None:
        raise Refused(f"the credential of host {host} is no longer good")
    elif not name or not is_signed(known.key, WORD, name, wire):
        raise Refused(f"not signed by host {host}, which it names")


def _meant(wire: dict[str, Any], step: _Step) -> tuple[str, int]:
    """Return operation and attempt: as signed; a host of the first release said them beside its outcome only."""
    try:
        outcome = Outcome.from_wire(wire)
        operation_id = outcome.operation_id or step.operation_id
        if str(uuid.UUID(operation_id)) != operation_id:
            raise ValueError("no operation's id")
    except ValueError as error:
        raise Refused(f"no outcome: {str(error)[:100]}", str(wire["host"])) from error
    return operation_id, outcome.attempt


def _moment(text: str | None) -> str | None:
    """Return until when it is worth hearing, if that is what the text says."""
    try:
        return datetime.fromisoformat(text).isoformat() if text else None
    except ValueError:
        return None
