"""Hosts are told that their networks changed, and say when they are so. Whatever is lost of it is told again."""

import logging
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any

from celery import chain
from celery.canvas import Signature
from django.db import transaction
from django.db.models import F, QuerySet
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from cloud.compute.models import ComputeNode, Service
from cloud.compute.services import broker_users
from cloud.compute.services.host_states import COMPUTE
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.networks.models import HostNetworkState
from cloud.networks.services import changes, host_documents, host_versions
from contracts.compute import COMMANDS
from contracts.conductor import NOTE_NETWORKS
from contracts.networks import NetworksApplied, SyncNetworks
from contracts.routing import CONDUCTOR_QUEUE, HEARD_QUEUE

_log = logging.getLogger(__name__)
_STEP = "sync_networks"
_NAMESPACE = uuid.UUID("2f6f1c1e-6a55-4c0b-9f0e-5d1f3a1c7b90")
_COMMAND = COMMANDS[SyncNetworks.NAME]
_TICK_SECONDS = 2.0
# How long what concerns many hosts waits after it was told, for each host that was. Who comes may be let in late; who
# went must not be let in for long.
_SECONDS_A_HOST = {changes.FORMER: 0.02, changes.MEMBERS: 0.1, changes.NEIGHBOURS: 0.1, changes.TUNNEL: 0.1}
# Of these, hosts hear in their turn: a few a second while builds wait, and else as many as answer.
_IN_TURN = frozenset({changes.MEMBERS, changes.NEIGHBOURS, changes.TUNNEL})
# Those beside builds are so many a second; from when the first has waited so long, as many as it takes to have told all
# when it has waited a minute, within a bound.
_FEW, _PATIENT_SECONDS, _LONGEST_SECONDS, _MANY = 4, 5.0, 60.0, 25
_MOST_UNANSWERED, _UNANSWERED_SECONDS = 50, 10.0
_LONG_QUEUE = 8


@rpc.register_workflow(changes.TELL)
def tell(_: Sequence[str]) -> Iterator[Signature]:
    """Tell the hosts that changes concern, once for all that was noted until now."""
    yield from _orders(changes.take())


def tell_again() -> int:
    """Tell hosts anew that have not said in time that they are as they shall be; return how many these are."""
    before = database_now() - timedelta(seconds=_COMMAND.timing.resend_seconds)
    behind = HostNetworkState.objects.filter(wanted__gt=F("applied"), host__in=_hosts_up())
    late = behind.filter(told_at__lt=before).order_by("host")
    with transaction.atomic():
        wanted = dict(late.select_for_update(skip_locked=True).values_list("host", "wanted"))
        HostNetworkState.objects.filter(host__in=wanted).update(told_at=database_now())
    return _send(wanted)


def tell_all() -> None:
    """Let every host hear what its networks shall be, as after a backup was restored."""
    changes.note(changes.of_host(host) for host in ComputeNode.objects.values_list("host", flat=True))


class Teller:
    """Tells hosts of what need not be told at once. What is wide waits longer, the more hosts must hear of it.

    A group's members are told to all hosts with rules about it, and a network's ports to all hosts that have others:
    one more server in a large project costs a thousand messages, which ten that come together share. Those who only
    must hear of who came are told a few at a time, and fewer while builds wait.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._due = dict.fromkeys(_SECONDS_A_HOST, 0.0)
        self._in_turn = 0

    def look(self) -> None:
        """Tell what was noted, if it is time, and those whose turn it is."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _TICK_SECONDS
            self._tell(now)
        if self._in_turn:
            tell_in_turn()

    def _tell(self, now: float) -> None:
        waiting = {kind for kind, due in self._due.items() if now < due}
        told = tell_noted(without=waiting)
        self._in_turn = host_versions.waiting().count()
        self._due.update({
            kind: now + (self._in_turn if kind in _IN_TURN else told) * _SECONDS_A_HOST[kind]
            for kind in self._due.keys() - waiting
        })  # fmt: skip


def tell_noted(*, without: Collection[str] = ()) -> int:
    """Tell hosts what was noted; return how many. A broker that is away has it told again."""
    return _send(changes.take(without=without, later=_IN_TURN))


def tell_in_turn() -> int:
    """Tell some of the hosts that wait for their turn; return how many."""
    most = _MOST_UNANSWERED - host_versions.under_way(_UNANSWERED_SECONDS)
    if _builds_wait():
        # Who does not answer keeps nobody from being among the few.
        most = max(_FEW, min(most, beside_builds(*host_versions.waited(_hosts_up()))))
    return _send(host_versions.whose_turn(_hosts_up(), most)) if most > 0 else 0


def beside_builds(hosts: int, seconds: float) -> int:
    """Return how many hosts are told in a second while builds wait.

    Args:
        hosts: how many wait for their turn.
        seconds: for how long the first of them does.
    """
    if seconds < _PATIENT_SECONDS:
        return _FEW
    return min(_MANY, max(_FEW, ceil(hosts / max(1.0, _LONGEST_SECONDS - seconds))))


def _builds_wait() -> bool:
    """Tell whether more waits for a conductor than it does in a moment; of a broker that is away nobody knows."""
    try:
        return sum(broker_users.queue_length(queue) for queue in (CONDUCTOR_QUEUE, HEARD_QUEUE)) > _LONG_QUEUE
    except RedisError:
        return True


def _hosts_up() -> QuerySet[Any, Any]:
    return Service.objects.filter(binary=COMPUTE, is_up=True).values("host")


def _send(wanted: Mapping[str, int]) -> int:
    orders = list(_orders(wanted))
    try:
        for order in orders:
            order.apply_async()
    except (OperationalError, RedisError):
        _log.warning("the broker is away: networks of %s hosts are told later", len(orders))
    return len(orders)


def note(outcome: NetworksApplied) -> None:
    """Take a host's word on how far it is."""
    error = f"{outcome.error_code}: {outcome.detail}" if outcome.is_failure else ""
    if error:
        _log.warning("host %s cannot have its networks as they shall be: %s", outcome.host, error)
    changes.applied(outcome.host, outcome.version, error)


def _orders(wanted: Mapping[str, int]) -> Iterator[Signature]:
    """Yield what is sent; hosts of a release that does not know of it are left out."""
    knowing = ComputeNode.objects.filter(host__in=wanted, release__gte=_COMMAND.since).values_list("host", flat=True)
    not_after = database_now() + timedelta(seconds=_COMMAND.timing.deadline_seconds)
    for host in knowing:
        order = SyncNetworks(
            operation_id=_operation(host, wanted[host]), step=_STEP, instance_uuid="", host=host, attempt=1,
            not_after=not_after.timestamp(), version=wanted[host],
            url=host_documents.url_of(host, int(_COMMAND.timing.deadline_seconds)),
        )  # fmt: skip
        yield chain(rpc.on_host(order), rpc.heard(NOTE_NETWORKS, order))


def _operation(host: str, version: int) -> str:
    """Return one id for a version however often it is told, so that a host gives up one that kills its agent."""
    return str(uuid.uuid5(_NAMESPACE, f"{host}/{version}"))
