"""The quota class: limits of all projects without limits of their own. There is one, `default`."""

from typing import Any

from cloud.compute.api.quota_schemas import OF_CLASSES, UPDATE_CLASS
from cloud.compute.api.schema_parts import NO_QUERY
from cloud.compute.services import quota_sets as service
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid

_POLICY = "os_compute_api:os-quota-class-sets"
_ONLY = "default"


@endpoint(f"{_POLICY}:show", query=NO_QUERY)
def show(request: ApiRequest, name: str) -> dict[str, Any]:
    """Show the limits of a class; one that nobody defined has the defaults."""
    view = _view(request)
    return {"quota_class_set": {"id": name, **view}}


@endpoint(f"{_POLICY}:update", body=UPDATE_CLASS)
def update(request: ApiRequest, name: str) -> dict[str, Any]:
    """Change the default limits."""
    if name != _ONLY:
        raise Invalid(f"There is no quota class but '{_ONLY}'.")
    asked = request.body["quota_class_set"]
    service.change_default_limits({resource: int(limit) for resource, limit in asked.items()})
    return {"quota_class_set": _view(request)}


def _view(request: ApiRequest) -> dict[str, int]:
    limits = service.default_limits()
    return {name: limits[name] for name in OF_CLASSES.at(request.version)}


ROUTES = [route("/os-quota-class-sets/<str:name>", GET=show, PUT=update)]
