"""What projects used in a period, for accounting."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from cloud.compute.api.links import page_links
from cloud.compute.api.schema_parts import PAGE, parameters, strict
from cloud.compute.selectors.tenant_usage import Period, servers_in
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid, PolicyNotAuthorized
from cloud.core.microversions import ByVersion, version
from cloud.core.paging import read_limit
from cloud.core.times import micros

_POLICY = "os_compute_api:os-simple-tenant-usage"
_PAGES = version("2.40")
_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f")
_SUMS = (("total_local_gb_usage", "local_gb"), ("total_vcpus_usage", "vcpus"), ("total_memory_mb_usage", "memory_mb"))
_ONE, _ALL = ("start", "end"), ("start", "end", "detailed")
Usage = dict[str, Any]


def _query(names: Sequence[str]) -> ByVersion:
    paged = parameters(*names, **PAGE)
    return ByVersion({"2.1": parameters(*names), "2.40": paged, "2.75": strict(paged)})


@endpoint(f"{_POLICY}:list", query=_query(_ALL))
def index(request: ApiRequest) -> dict[str, Any]:
    """Sum up every project."""
    period = _period(request)
    usages, links = _usages(request, period, "tenant_usages_links", "os-simple-tenant-usage")
    is_detailed = request.query.get("detailed") == "1"
    by_project: dict[str, list[Usage]] = {}
    for usage in usages:
        by_project.setdefault(usage["tenant_id"], []).append(usage)
    return {
        "tenant_usages": [_sum(period, found, is_detailed=is_detailed) for found in by_project.values()], **links,
    }  # fmt: skip


@endpoint(f"{_POLICY}:show", query=_query(_ONE))
def show(request: ApiRequest, project_id: str) -> dict[str, Any]:
    """Sum up one project."""
    if project_id != request.context.project_id and not request.context.is_admin:
        raise PolicyNotAuthorized(policy=f"{_POLICY}:show")
    period = _period(request, project_id)
    usages, links = _usages(request, period, "tenant_usage_links", f"os-simple-tenant-usage/{project_id}")
    return {"tenant_usage": _sum(period, usages, is_detailed=True) if usages else {}, **links}


def _usages(request: ApiRequest, period: Period, name: str, below: str) -> tuple[list[Usage], dict[str, Any]]:
    if request.version < _PAGES:
        return servers_in(period, read_limit(type(request.query)())), {}
    limit = read_limit(request.query)
    found = servers_in(period, limit, request.query.get("marker", ""))
    is_full = bool(found) and len(found) == limit
    return found, page_links(request, name, found[-1]["instance_id"], below) if is_full else {}


def _sum(period: Period, usages: Sequence[Usage], *, is_detailed: bool) -> dict[str, Any]:
    total: dict[str, Any] = {
        "tenant_id": usages[0]["tenant_id"],
        "start": micros(period.start),
        "stop": micros(period.stop),
        "total_hours": sum(usage["hours"] for usage in usages),
    }
    for name, column in _SUMS:
        total[name] = sum(usage[column] * usage["hours"] for usage in usages)
    if is_detailed:
        total["server_usages"] = [
            {**usage, "started_at": micros(usage["started_at"]), "ended_at": micros(usage["ended_at"])}
            for usage in usages
        ]
    return total


def _period(request: ApiRequest, project_id: str = "") -> Period:
    now = timezone.now()
    start, stop = (_read(request.query.get(name, ""), now) for name in ("start", "end"))
    if not start < stop:
        raise Invalid("Invalid start time. The start time cannot occur after the end time.")
    return Period(start, min(stop, now), project_id)


def _read(text: str, now: datetime) -> datetime:
    if not text:
        return now
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise Invalid("Invalid datetime string: Datetime is in invalid format")


ROUTES = [
    route("/os-simple-tenant-usage", GET=index),
    route("/os-simple-tenant-usage/<str:project_id>", GET=show),
]
