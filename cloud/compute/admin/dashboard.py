"""What the first page of the admin UI shows, and the address from which it renews itself."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cloud.compute.models import Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.selectors import overview
from cloud.compute.selectors.overview import Amount, HostLine
from cloud.core.clock import database_now
from cloud.core.presentation import tone
from contracts.errors import ErrorCode

_HOSTS_SHOWN = 240
_FAILURES_SHOWN = 8
_DAY = timedelta(days=1)


def overview_values() -> dict[str, Any]:
    """Return the values of the page's template. A fixed number of queries."""
    hosts = overview.hosts()
    statuses = overview.servers_by_status()
    up = sum(one.service.is_up for one in hosts)
    return {
        "hosts": hosts,
        "shown_hosts": hosts[:_HOSTS_SHOWN],
        "hosts_up": up,
        "hosts_down": len(hosts) - up,
        "hosts_disabled": sum(one.service.disabled for one in hosts),
        "statuses": [(status, count, tone(status)) for status, count in statuses.items()],
        "server_count": sum(statuses.values()),
        "running": overview.running_operations(),
        "transient": overview.oldest_transient(),
        "failures": overview.recent_failures(_FAILURES_SHOWN),
        "failed_today": _failed_since(_DAY),
        "amounts": _amounts(hosts),
    }


def _failed_since(age: timedelta) -> int:
    rows = Operation.objects.filter(state=OperationState.FAILED, finished_at__gte=database_now() - age)
    return rows.exclude(error_code=ErrorCode.SUPERSEDED).count()


def _amounts(hosts: list[HostLine]) -> list[tuple[str, str, str, float]]:
    rows = (
        ("vCPUs held", sum((one.vcpus for one in hosts), Amount()), 1),
        ("memory held, GB", sum((one.memory_mb for one in hosts), Amount()), 1024),
        ("disk held, GB", sum((one.disk_gb for one in hosts), Amount()), 1),
    )
    return [
        (name, f"{one.used / unit:,.0f}", f"{one.capacity / unit:,.0f}", 100 * one.share) for name, one, unit in rows
    ]


def overview_fragment(request: HttpRequest) -> HttpResponse:
    """Answer the overview alone."""
    return render(request, "admin/compute/overview.html", overview_values())

