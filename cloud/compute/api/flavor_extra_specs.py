"""Extra specs of flavors."""

from collections.abc import Mapping
from typing import Any

from cloud.compute.api.flavor_schemas import NO_QUERY, SET_EXTRA_SPEC, SET_EXTRA_SPECS
from cloud.compute.selectors.flavors import get_flavor
from cloud.compute.services.extra_spec_rules import check_extra_spec
from cloud.compute.services.flavor_extra_specs import delete_extra_spec, no_such_spec, set_extra_specs
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid
from cloud.core.microversions import version

_CHECKED = version("2.86")
_MOST = 255
_POLICY = "os_compute_api:os-flavor-extra-specs"


@endpoint(f"{_POLICY}:index", query=NO_QUERY)
def index(request: ApiRequest, flavor_id: str) -> dict[str, Any]:
    """List a flavor's extra specs."""
    return {"extra_specs": get_flavor(request.context, flavor_id).extra_specs}


@endpoint(f"{_POLICY}:create", body=SET_EXTRA_SPECS)
def create(request: ApiRequest, flavor_id: str) -> dict[str, Any]:
    """Add or overwrite extra specs."""
    _set(request, flavor_id, request.body["extra_specs"])
    return request.body  # type: ignore[no-any-return]


@endpoint(f"{_POLICY}:update", body=SET_EXTRA_SPEC)
def update(request: ApiRequest, flavor_id: str, key: str) -> dict[str, Any]:
    """Add or overwrite one extra spec."""
    if key not in request.body:
        raise Invalid("Request body and URI mismatch")
    _set(request, flavor_id, request.body)
    return request.body  # type: ignore[no-any-return]


@endpoint(f"{_POLICY}:show", query=NO_QUERY)
def show(request: ApiRequest, flavor_id: str, key: str) -> dict[str, str]:
    """Show one extra spec."""
    flavor = get_flavor(request.context, flavor_id)
    if key not in flavor.extra_specs:
        raise no_such_spec(flavor, key)
    return {key: flavor.extra_specs[key]}


@endpoint(f"{_POLICY}:delete")
def delete(request: ApiRequest, flavor_id: str, key: str) -> None:
    """Remove one extra spec."""
    delete_extra_spec(get_flavor(request.context, flavor_id), key)


def _set(request: ApiRequest, flavor_id: str, specs: Mapping[str, object]) -> None:
    for key, value in specs.items():
        if len(str(value)) > _MOST:
            raise Invalid(f"extra_specs value of {key} has more than {_MOST} characters.")
        if request.version >= _CHECKED:
            check_extra_spec(key, str(value))
    set_extra_specs(get_flavor(request.context, flavor_id), specs)


ROUTES = [
    route("/flavors/<str:flavor_id>/os-extra_specs", GET=index, POST=create),
    route("/flavors/<str:flavor_id>/os-extra_specs/<str:key>", GET=show, PUT=update, DELETE=delete),
]
