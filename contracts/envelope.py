"""The base of every message: typed, tolerant of fields it does not know, plain JSON on the wire."""

from typing import Any, ClassVar, Self

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A value that crosses the wire.

    A field may be added when it has a default; one may be removed a release after its last reader went.
    """

    def to_wire(self) -> dict[str, Any]:
        """Return the message as JSON-ready builtins."""
        wire: dict[str, Any] = msgspec.to_builtins(self)
        return wire

    @classmethod
    def from_wire(cls, wire: dict[str, Any]) -> Self:
        """Read a message; unknown fields are ignored, absent ones take their defaults.

        Raises:
            msgspec.ValidationError: a required field is absent or a value has the wrong type.
        """
        return msgspec.convert(wire, cls)


class Outcome(Message, frozen=True, kw_only=True):
    """What an order ended with. `error_code` empty means that it succeeded.

    A failure travels as a value, not as an exception, so that the reason arrives with the fact and through the
    same message. `detail` is for operators and is never shown to a tenant.

    Attributes:
        operation_id, step, attempt, host: of the order.
        order: name of the order's task.
        signature: the host's word that all this is so; see contracts.signing.
    """

    error_code: str = ""
    detail: str = ""
    host: str = ""
    attempt: int = 0
    operation_id: str = ""
    step: str = ""
    order: str = ""
    signature: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether the order failed."""
        return bool(self.error_code)


class Order(Message, frozen=True, kw_only=True):
    """A command to one host, fenced: the agent refuses it on another host, late, or after a newer attempt.

    Attributes:
        operation_id: the operation (uuid) that this order belongs to.
        step: name of the step in the operation's graph.
        instance_uuid: the instance that it touches.
        host: the only host that may carry it out.
        attempt: generation; an agent that has seen a higher one for the operation refuses this one.
        not_after: seconds since the epoch, on the database's clock, after which it must not be begun.
        request_id: `req-<uuid>` of the HTTP request that caused it.
        signature: by the host's key, over everything else; see contracts.signing.
        begun_at: when the operation began, on the same clock; an agent that was told of a later one of the instance
            refuses it. 0 for what belongs to no operation, and from a control plane of the first release.
    """

    NAME: ClassVar[str] = ""
    OUTCOME: ClassVar[type[Outcome]] = Outcome

    operation_id: str
    step: str
    instance_uuid: str
    host: str
    attempt: int
    not_after: float
    request_id: str = ""
    signature: str = ""
    begun_at: float = 0.0
