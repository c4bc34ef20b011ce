"""The scheduler's one task: decode, call, encode."""

import logging
from typing import Any

import msgspec
from celery import Celery

from contracts.errors import ErrorCode, RemoteFault
from contracts.scheduling import SelectDestinations, Selected
from scheduler.service.feed import HostFeed
from scheduler.service.known_hosts import KnownHosts

logger = logging.getLogger(__name__)


def register_tasks(app: Celery, hosts: KnownHosts, feed: HostFeed, wait_seconds: float) -> None:
    """Give the app its task, which answers from `hosts`.

    A request that comes before all hosts have been seen asks `feed` for them and waits up to `wait_seconds`; then
    it is answered with what is known.
    """

    @app.task(name=SelectDestinations.NAME, shared=False, throws=(RemoteFault,), resultrepr_maxsize=64)
    def select_destinations(wire: dict[str, Any]) -> dict[str, Any]:
        """Return, as the wire form of `Selected`, hosts for the servers of a `SelectDestinations`.

        Raises:
            RemoteFault: the message cannot be read.
        """
        try:
            message = SelectDestinations.from_wire(wire)
        except msgspec.ValidationError as exc:
            raise RemoteFault(ErrorCode.ORDER_REFUSED, f"{SelectDestinations.NAME}: {exc}") from exc
        if not hosts.is_filled:
            feed.ask()
            hosts.wait_filled(wait_seconds)
        selected = hosts.select(message)
        _report(message, selected)
        return selected.to_wire()


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
