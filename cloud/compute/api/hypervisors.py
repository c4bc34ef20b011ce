"""Hypervisors."""

from collections.abc import Callable, Sequence
from typing import Any

from cloud.compute.api.hypervisor_schemas import LIST_QUERY, SHOW_QUERY
from cloud.compute.api.hypervisor_views import ALWAYS_SERVERS, UUIDS, brief, full, statistics
from cloud.compute.api.links import page_links
from cloud.compute.api.schema_parts import is_true
from cloud.compute.selectors.hypervisors import (
    Hypervisor,
    get_hypervisor,
    list_hypervisors,
    marker_node,
    matching_hypervisors,
    servers_by_host,
)
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid
from cloud.core.formats import is_uuid
from cloud.core.microversions import Version, version
from cloud.core.paging import read_limit

_POLICY = "os_compute_api:os-hypervisors"
_PAGES = version("2.33")
View = Callable[[Version, Hypervisor], dict[str, Any]]


@endpoint(f"{_POLICY}:list", query=LIST_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List hypervisors in brief."""
    return _listing(request, brief, "os-hypervisors")


@endpoint(f"{_POLICY}:list-detail", query=LIST_QUERY)
def detail(request: ApiRequest) -> dict[str, Any]:
    """List hypervisors in full."""
    return _listing(request, full, "os-hypervisors/detail")


@endpoint(f"{_POLICY}:show", query=SHOW_QUERY)
def show(request: ApiRequest, node_id: str) -> dict[str, Any]:
    """Show a hypervisor."""
    return {"hypervisor": _views(request, [_find(request, node_id)], full)[0]}


@endpoint(f"{_POLICY}:statistics", until="2.87")
def sums(request: ApiRequest) -> dict[str, Any]:
    """Sum up the enabled hypervisors."""
    return {"hypervisor_statistics": statistics(one for one in list_hypervisors() if not one.service.disabled)}


@endpoint(f"{_POLICY}:uptime", until="2.87")
def uptime(request: ApiRequest, node_id: str) -> dict[str, Any]:
    """Show what `uptime` says there."""
    found = _find(request, node_id)
    if not found.service.is_up:
        raise Invalid(f"Compute service of {found.node.host} is unavailable at this time.")
    return {"hypervisor": brief(request.version, found) | {"uptime": found.node.uptime_text or None}}


@endpoint(f"{_POLICY}:search", until="2.52")
def search(request: ApiRequest, node_id: str) -> dict[str, Any]:
    """List the hypervisors whose names hold a text."""
    return {"hypervisors": [brief(request.version, one) for one in matching_hypervisors(node_id)]}


@endpoint(f"{_POLICY}:servers", until="2.52")
def servers(request: ApiRequest, node_id: str) -> dict[str, Any]:
    """List the hypervisors whose names hold a text, with their servers."""
    return {"hypervisors": _with_servers(request.version, matching_hypervisors(node_id), brief)}


def _listing(request: ApiRequest, view: View, below: str) -> dict[str, Any]:
    pattern = request.query.get("hypervisor_hostname_pattern", "") if request.version >= UUIDS else ""
    if pattern:
        if "limit" in request.query or request.query.get("marker"):
            raise Invalid(
                "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported."
            )
        return {"hypervisors": _views(request, matching_hypervisors(pattern), view)}
    if request.version < _PAGES:
        return {"hypervisors": _views(request, list_hypervisors(), view)}
    limit, marker = read_limit(request.query), request.query.get("marker")
    behind = marker_node(marker, by_uuid=request.version >= UUIDS) if marker else None
    found = list_hypervisors(limit=limit, marker=behind)
    answer: dict[str, Any] = {"hypervisors": _views(request, found, view)}
    if found and len(found) == limit:
        answer |= page_links(request, "hypervisors_links", str(answer["hypervisors"][-1]["id"]), below)
    return answer


def _views(request: ApiRequest, found: Sequence[Hypervisor], view: View) -> list[dict[str, Any]]:
    if request.version >= UUIDS and is_true(request.query.get("with_servers", False)):
        return _with_servers(request.version, found, view)
    return [view(request.version, one) for one in found]


def _with_servers(number: Version, found: Sequence[Hypervisor], view: View) -> list[dict[str, Any]]:
    on_hosts = servers_by_host([one.node.host for one in found])
    views = []
    for one in found:
        there = on_hosts[one.node.host]
        is_shown = there or number >= ALWAYS_SERVERS
        views.append(view(number, one) | ({"servers": there} if is_shown else {}))
    return views


def _find(request: ApiRequest, node_id: str) -> Hypervisor:
    by_uuid = request.version >= UUIDS
    if by_uuid and not is_uuid(node_id):
        raise Invalid(f"Invalid uuid {node_id[:100]}")
    return get_hypervisor(node_id, by_uuid=by_uuid)


ROUTES = [
    route("/os-hypervisors", GET=index),
    route("/os-hypervisors/detail", GET=detail),
    route("/os-hypervisors/statistics", GET=sums),
    route("/os-hypervisors/<str:node_id>", GET=show),
    route("/os-hypervisors/<str:node_id>/uptime", GET=uptime),
    route("/os-hypervisors/<str:node_id>/search", GET=search),
    route("/os-hypervisors/<str:node_id>/servers", GET=servers),
]
