"""The scheduler's tasks: decode, call, encode."""

import logging
from typing import Any, TypeVar

import msgspec
from celery import Celery

from contracts.envelope import Message
from contracts.errors import ErrorCode, RemoteFault
from contracts.scheduling import MOST_CONSIDERED, ConsiderDestinations, SelectDestinations, Selected
from scheduler.service.feed import HostFeed
from scheduler.service.known_hosts import KnownHosts

logger = logging.getLogger(__name__)


M = TypeVar("M", bound=Message)


def register_tasks(app: Celery, hosts: KnownHosts, feed: HostFeed, wait_seconds: float) -> None:
    """Give the app its tasks, which answer from `hosts`.

    A request that comes before all hosts have been seen asks `feed` for them and waits up to `wait_seconds`; then
    it is answered with what is known.
    """

    def wait_for_hosts() -> None:
        if not hosts.is_filled:
            feed.ask()
            hosts.wait_filled(wait_seconds)

    @app.task(name=SelectDestinations.NAME, shared=False, throws=(RemoteFault,), resultrepr_maxsize=64)
    def select_destinations(wire: dict[str, Any]) -> dict[str, Any]:
        """Return, as the wire form of `Selected`, hosts for the servers of a `SelectDestinations`.

        Raises:
            RemoteFault: the message cannot be read.
        """
        message = _read(SelectDestinations, SelectDestinations.NAME, wire)
        wait_for_hosts()
        selected = hosts.select(message)
        _report(message, selected)
        return selected.to_wire()

    @app.task(name=ConsiderDestinations.NAME, shared=False, throws=(RemoteFault,), resultrepr_maxsize=64)
    def consider_destinations(wire: dict[str, Any]) -> dict[str, Any]:
        """Return, as the wire form of `Considered`, where servers would go. Whoever asks waits for the result.

        Raises:
            RemoteFault: the message cannot be read or asks too much.
        """
        message = _read(ConsiderDestinations, ConsiderDestinations.NAME, wire)
        _check(message)
        wait_for_hosts()
        return hosts.consider(message).to_wire()


def _read(kind: type[M], name: str, wire: dict[str, Any]) -> M:
    try:
        return kind.from_wire(wire)
    except msgspec.ValidationError as exc:
        raise RemoteFault(ErrorCode.ORDER_REFUSED, f"{name}: {exc}") from exc


def _check(message: ConsiderDestinations) -> None:
    counts = [one.count for one in message.questions]
    if min(counts, default=0) < 0 or sum(counts) > MOST_CONSIDERED:
        reason = f"questions about {sum(counts)} servers, of {MOST_CONSIDERED} at most"
        raise RemoteFault(ErrorCode.ORDER_REFUSED, f"{ConsiderDestinations.NAME}: {reason}")


def _report(message: SelectDestinations, selected: Selected) -> None:
    placed = [hosts[0] for hosts in selected.hosts if hosts]
    logger.info(
        "%s placed %d of %d servers among %d hosts, attempt %d: %s",
        message.request_id or "-",
        len(placed),
        len(message.operation_ids),
        selected.hosts_total,
        message.attempt,
        selected.nearest_miss or ", ".join(placed[:10]),
    )
