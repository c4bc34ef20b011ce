"""The only door to Celery: after commit, with an explicit queue, in typed messages.

Domains stand below the conductor and cannot import its workflows, so they launch one by its name; the conductor
registers them here when it starts.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from celery import chain, current_app
from celery.canvas import Signature
from celery.exceptions import TimeoutError as CeleryTimeoutError
from celery.result import AsyncResult
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from cloud.core import backend, outbox
from cloud.core.errors import Unavailable
from cloud.core.models import UnsentOrder
from contracts.compute import COMMANDS
from contracts.conductor import TAKE_ANSWER
from contracts.envelope import Order, Outcome
from contracts.inbound import HEARD
from contracts.routing import CONDUCTOR_QUEUE, INBOUND_QUEUE, SCHEDULER_QUEUE, compute_queue, slow_compute_queue
from contracts.scheduling import ConsiderDestinations, Considered, SelectDestinations
from contracts.signing import ORDER, sign

_log = logging.getLogger(__name__)
# A queue is reached by its name. Declaring each of a thousand hosts' would be ten commands to Redis an order, and
# looking whether one was declared takes as long as sending what is for it.
_BY_NAME: dict[str, Any] = {"declare": []}
# What task events, Flower and logs show of a link's value; Celery would print all of it, each time it is sent on.
_FROM_BEFORE = "('what came before',)"
_SHOWN_CHARACTERS = 200
# The result backend wraps what it met in a bare RuntimeError after its last try; see `_check_away`.
_PERHAPS_AWAY = (OperationalError, RedisError, RuntimeError)
Workflow = Callable[[list[str]], Iterable[Signature]]
_workflows: dict[str, Workflow] = {}
# What a rehearsal would have launched; None outside of one.
_rehearsed: ContextVar[list[tuple[str, list[str]]] | None] = ContextVar("rehearsed", default=None)
# host -> the key that its orders are signed with, or None for one that was never enrolled.
KeyOf = Callable[[str], bytes | None]
_key_of: list[KeyOf] = []


def register_keys(key_of: KeyOf) -> None:
    """Name who knows the hosts' keys; that stands above this room."""
    _key_of[:] = [key_of]


def register_workflow(name: str) -> Callable[[Workflow], Workflow]:
    """Register a launcher `(operation ids) -> canvases` under a name: what to send, from wherever they stand now."""

    def register(launcher: Workflow) -> Workflow:
        _workflows[name] = launcher
        return launcher

    return register


def workflows() -> Mapping[str, Workflow]:
    """Return every launcher that is registered, by name."""
    return _workflows


def launch(name: str, operation_ids: list[str], *, sent: Callable[[], None] | None = None) -> None:
    """Send the workflow's next canvases once the current transaction has committed.

    A broker that is away costs nothing but time: the operations are rows, and the reconciler sends what has no owner.
    For the same reason an error in a launcher is logged and not passed on: the request was accepted already.

    Args:
        name: of the workflow.
        operation_ids: whose turn it is.
        sent: called when the broker has taken them.
    """
    rehearsed = _rehearsed.get()
    if rehearsed is not None:
        rehearsed.append((name, operation_ids))
        return

    def send() -> None:
        if launch_now(name, operation_ids) and sent:
            sent()

    transaction.on_commit(send, robust=True)


@contextmanager
def rehearsing() -> Iterator[list[tuple[str, list[str]]]]:
    """Let nothing be launched within the context; what would be is in the list: workflows and operation ids."""
    launched: list[tuple[str, list[str]]] = []
    token = _rehearsed.set(launched)
    try:
        yield launched
    finally:
        _rehearsed.reset(token)


def questions(name: str, operation_ids: list[str]) -> list[SelectDestinations]:
    """Return what the workflow's next canvases would ask the scheduler."""
    found = []
    for canvas in _workflows[name](operation_ids):
        first = canvas.tasks[0] if hasattr(canvas, "tasks") else canvas
        if first.task == SelectDestinations.NAME:
            found.append(SelectDestinations.from_wire(first.args[0]))
    return found


def launch_now(name: str, operation_ids: list[str]) -> bool:
    """Send the workflow's next canvases; tell whether the broker took them."""
    try:
        for canvas in _workflows[name](operation_ids):
            canvas.apply_async()
    except _PERHAPS_AWAY as error:
        _check_away(error)
        _log.warning("the broker is away: %s of %s waits for the reconciler", name, operation_ids)
        return False
    return True


def _check_away(error: BaseException) -> None:
    """Let an error pass that does not come from a broker that is away, silent or full."""
    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, (OperationalError, RedisError)):
            return
        reason = reason.__cause__ or reason.__context__
    raise error


def on_host(order: Order) -> Signature:
    """Return what sends an order to its host, on the lane that the contract names, signed with the host's key."""
    command = COMMANDS[order.NAME]
    queue = slow_compute_queue(order.host) if command.is_slow_lane else compute_queue(order.host)
    wire = order.to_wire()
    key = _key_of[0](order.host)
    if key is not None:
        wire = sign(key, ORDER, order.NAME, wire)
    return current_app.signature(
        order.NAME, args=(wire,), queue=queue, immutable=True, ignore_result=True, **_BY_NAME,
        # What task events, Flower and logs show of it: an order may carry a tenant's user data.
        argsrepr=f"('{order.instance_uuid}', '{order.host}', attempt {order.attempt} of '{order.operation_id}')",
    )


def heard(name: str, order: Order, *, keep_result: bool = False) -> Signature:
    """Return the conductor step that follows an order. The host sends it on, so it goes by the inbound queue.

    Raises:
        KeyError: `contracts.inbound` does not say that the step takes such an outcome.
    """
    if order.NAME not in HEARD[name]:
        raise KeyError(f"{name} does not take the outcome of {order.NAME}; see contracts.inbound")
    arguments = {"operation_id": order.operation_id, "attempt": order.attempt}
    return current_app.signature(
        name, kwargs=arguments, queue=INBOUND_QUEUE, ignore_result=not keep_result, **_BY_NAME, **shown(arguments)
    )


def to_scheduler(message: SelectDestinations | ConsiderDestinations, name: str) -> Signature:
    """Return the signature that asks the scheduler."""
    return current_app.signature(
        name, args=(message.to_wire(),), queue=SCHEDULER_QUEUE, immutable=True, ignore_result=True, **_BY_NAME,
        argsrepr=f"({message.request_id!r},)",
    )


def step(name: str, *, immutable: bool = False, **arguments: Any) -> Signature:
    """Return the signature of a conductor step; unless immutable, it takes the previous link's value first."""
    # Unless a result is ignored by name, whoever sends the canvas subscribes to it and never lets go.
    return current_app.signature(
        name, kwargs=arguments, queue=CONDUCTOR_QUEUE, immutable=immutable, ignore_result=True, **_BY_NAME,
        **shown(arguments),
    )


def shown(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the options of a signature that say what is shown of its arguments."""
    return {"argsrepr": _FROM_BEFORE, "kwargsrepr": repr(arguments)[:_SHOWN_CHARACTERS]}


def cast(order: Order) -> None:
    """Send an order after commit, when nobody waits for its outcome.

    It is a row from the commit on until the broker has it: what the crash of this process or a broker that is away
    leaves unsent, a reconciler sends.
    """
    row = outbox.put(order)
    transaction.on_commit(lambda: deliver(row), robust=True)


def deliver(row: UnsentOrder) -> bool:
    """Send an order of the outbox and forget it; tell whether the broker took it."""
    try:
        on_host(outbox.order_of(row)).apply_async()
    except _PERHAPS_AWAY as error:
        _check_away(error)
        _log.warning("the broker is away: %s waits in the outbox", row)
        return False
    outbox.remove(row)
    return True


def drop_orders(host: str) -> None:
    """Forget, after commit, what waits in the queues of a host that is dead: nobody shall begin it when it is back."""
    transaction.on_commit(lambda: _purge(compute_queue(host), slow_compute_queue(host)), robust=True)


def _purge(*queues: str) -> None:
    try:
        with current_app.connection_for_write() as connection:
            for queue in queues:
                connection.default_channel.queue_purge(queue)
    except (OperationalError, RedisError):
        _log.warning("the broker is away: the orders in %s wait on", ", ".join(queues))


def _wait_for(result: AsyncResult, seconds: float) -> Any:
    with backend.waiting():
        try:
            return result.get(timeout=seconds)
        except CeleryTimeoutError:
            result.backend.remove_pending_result(result)  # Celery goes on following what came too late
            raise


def call(order: Order, timeout_seconds: float) -> Outcome:
    """Send an order and wait for its outcome, which a conductor's step hands over. For the API only, never in a task.

    The order's operation is no row, and its id is known to nobody but us and the host: the answer is kept under it.

    Raises:
        Unavailable: no answer in time, or no broker.
    """
    answer = heard(TAKE_ANSWER, order, keep_result=True).set(task_id=order.operation_id)
    try:
        # No `expires`: Celery would judge it by the host's clock. The order's own `not_after` ends it.
        result = chain(on_host(order), answer).apply_async()
        outcome = order.OUTCOME.from_wire(_wait_for(result, timeout_seconds))
    except (CeleryTimeoutError, *_PERHAPS_AWAY) as error:
        if not isinstance(error, CeleryTimeoutError):
            _check_away(error)
        raise Unavailable(
            "The server's host did not answer in time; try again shortly.", headers={"Retry-After": "5"}
        ) from error
    result.forget()
    if outcome.host != order.host:
        raise Unavailable("Another host answered; try again shortly.")
    return outcome


# A question that nobody waits for any more is not worth an answer; generous, for it is judged by another's clock.
_CONSIDER_WITHIN_SECONDS = 60


def consider(message: ConsiderDestinations, timeout_seconds: float) -> Considered:
    """Ask a scheduler where servers would go, and wait for its answer. For the API only, never in a task.

    Raises:
        Unavailable: no answer in time, no broker, or a scheduler that does not know such questions.
    """
    asked = to_scheduler(message, ConsiderDestinations.NAME).set(ignore_result=False, expires=_CONSIDER_WITHIN_SECONDS)
    try:
        result = asked.apply_async()
        answer = Considered.from_wire(_wait_for(result, timeout_seconds))
    except (CeleryTimeoutError, *_PERHAPS_AWAY) as error:
        if not isinstance(error, CeleryTimeoutError):
            _check_away(error)
        raise Unavailable(
            "No scheduler answered in time; try again shortly.", headers={"Retry-After": "5"}
        ) from error
    result.forget()
    return answer
