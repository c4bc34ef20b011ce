"""Quotas of projects."""

from collections.abc import Mapping
from typing import Any

from cloud.compute.api.quota_schemas import OF_SETS, SET_QUERY, UPDATE_SET
from cloud.compute.api.schema_parts import NO_QUERY, is_true
from cloud.compute.selectors.projects import check_project
from cloud.compute.services import quota_sets as service
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid, PolicyNotAuthorized

_POLICY = "os_compute_api:os-quota-sets"


@endpoint(f"{_POLICY}:show", query=SET_QUERY)
def show(request: ApiRequest, project_id: str) -> dict[str, Any]:
    """Show a project's limits."""
    _check(request, project_id, "show")
    return _view(request, service.limits_of(project_id), project_id)


@endpoint(f"{_POLICY}:detail", query=SET_QUERY)
def detail(request: ApiRequest, project_id: str) -> dict[str, Any]:
    """Show a project's limits and what it holds."""
    _check(request, project_id, "detail")
    limits, usages = service.limits_of(project_id), service.usages_of(project_id)
    rows = {name: {"limit": limits[name], "in_use": usages[name], "reserved": 0} for name in limits}
    return _view(request, rows, project_id)


@endpoint(f"{_POLICY}:defaults", query=NO_QUERY)
def defaults(request: ApiRequest, project_id: str) -> dict[str, Any]:
    """Show the limits of a project without limits of its own."""
    check_project(project_id)
    return _view(request, service.default_limits(), project_id)


@endpoint(f"{_POLICY}:update", body=UPDATE_SET, query=SET_QUERY)
def update(request: ApiRequest, project_id: str) -> dict[str, Any]:
    """Give a project limits of its own."""
    if request.query.get("user_id"):
        raise Invalid("Quotas of this cloud belong to projects: a user cannot have limits of its own.")
    check_project(project_id)
    asked = request.body["quota_set"]
    changes = {name: int(limit) for name, limit in asked.items() if name != "force"}
    service.change_limits(project_id, changes, is_forced=is_true(asked.get("force", False)))
    return _view(request, service.limits_of(project_id))


@endpoint(f"{_POLICY}:delete", query=SET_QUERY, status=202)
def delete(request: ApiRequest, project_id: str) -> None:
    """Let the defaults hold again. A user never has limits of its own."""
    if not request.query.get("user_id"):
        service.reset_limits(project_id)


def _check(request: ApiRequest, project_id: str, operation: str) -> None:
    if project_id != request.context.project_id and not request.context.is_admin:
        raise PolicyNotAuthorized(policy=f"{_POLICY}:{operation}")
    check_project(project_id)


def _view(request: ApiRequest, values: Mapping[str, Any], project_id: str = "") -> dict[str, Any]:
    shown = {name: values[name] for name in OF_SETS.at(request.version)}
    return {"quota_set": {"id": project_id, **shown} if project_id else shown}


ROUTES = [
    route("/os-quota-sets/<str:project_id>", GET=show, PUT=update, DELETE=delete),
    route("/os-quota-sets/<str:project_id>/detail", GET=detail),
    route("/os-quota-sets/<str:project_id>/defaults", GET=defaults),
]
