"""Who is up: judged from the last report by the database's clock, told to the schedulers when it changes."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from cloud.compute.models import Operation, Service
from cloud.compute.models.operations import OperationState
from cloud.compute.services import host_feed
from cloud.compute.services.host_states import COMPUTE
from cloud.conductor.reconcile import listening
from cloud.core.clock import database_now
from cloud.placement.models import ResourceProvider
from cloud.placement.services.ledger import bump_generations, lock

_log = logging.getLogger(__name__)


def reconcile() -> None:
    """Turn hosts down that nothing was heard of, and up those that speak again."""
    if not listening.go_on():
        return
    oldest = database_now() - timedelta(seconds=settings.HOST_DOWN_AFTER_SECONDS)
    rows = Service.objects.filter(binary=COMPUTE)
    _turn(list(rows.filter(is_up=True, last_seen_at__lte=oldest).values_list("host", flat=True)), is_up=False)
    _turn(list(rows.filter(is_up=False, last_seen_at__gt=oldest).values_list("host", flat=True)), is_up=True)


def _turn(hosts: list[str], *, is_up: bool) -> None:
    if not hosts:
        return
    _log.warning("hosts are %s: %s", "up again" if is_up else "down", ", ".join(sorted(hosts)))
    with transaction.atomic():
        services = Service.objects.filter(binary=COMPUTE, host__in=hosts)
        list(services.select_for_update().order_by("id").values_list("id"))  # in the order of those that hear reports
        services.update(is_up=is_up)
        # The state of a host is newer now, and schedulers ignore older ones.
        bump_generations(lock(ResourceProvider.objects.filter(name__in=hosts)).values())
        if not is_up:
            # Nothing will come of their orders: the reconciler of operations takes the failure path now.
            running = Operation.objects.filter(host__in=hosts, state=OperationState.RUNNING)
            running.update(deadline=database_now())
        host_feed.publish(hosts)
