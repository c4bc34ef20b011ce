"""Flavors: list, show, create, describe, delete."""

from collections.abc import Callable
from typing import Any

from django.forms.models import model_to_dict

from cloud.compute.api.flavor_schemas import CREATE, LIST_QUERY, NO_QUERY, UPDATE
from cloud.compute.api.flavor_views import Row, brief, full
from cloud.compute.api.links import page_links
from cloud.compute.api.schema_parts import is_true
from cloud.compute.models import Flavor
from cloud.compute.selectors.flavors import FlavorFilter, FlavorPage, get_flavor, list_flavors
from cloud.compute.services.flavors import create_flavor, delete_flavor, describe_flavor
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid
from cloud.core.microversions import version
from cloud.core.paging import read_limit

_NAME_FILTER = version("2.102")
_TRUTHS = {"1": True, "t": True, "true": True, "on": True, "y": True, "yes": True,
           "0": False, "f": False, "false": False, "off": False, "n": False, "no": False, "none": None}  # fmt: skip
# key of the body -> column and what makes its value
_COLUMNS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", str),
    "id": ("flavorid", str),
    "description": ("description", lambda text: text),
    "ram": ("memory_mb", int),
    "vcpus": ("vcpus", int),
    "disk": ("disk_gb", int),
    "OS-FLV-EXT-DATA:ephemeral": ("ephemeral_gb", int),
    "swap": ("swap_mb", int),
    "rxtx_factor": ("rxtx_factor", float),
    "os-flavor-access:is_public": ("is_public", is_true),
}


@endpoint("os_compute_api:flavors", query=LIST_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List flavors in brief."""
    return _listing(request, brief, "flavors")


@endpoint("os_compute_api:flavors", query=LIST_QUERY)
def detail(request: ApiRequest) -> dict[str, Any]:
    """List flavors in full."""
    return _listing(request, full, "flavors/detail")


@endpoint("os_compute_api:flavors", query=NO_QUERY)
def show(request: ApiRequest, flavor_id: str) -> dict[str, Any]:
    """Show a flavor."""
    return {"flavor": full(request, row_of(get_flavor(request.context, flavor_id)))}


@endpoint("os_compute_api:os-flavor-manage:create", body=CREATE)
def create(request: ApiRequest) -> dict[str, Any]:
    """Make a flavor."""
    asked = {key: value for key, value in request.body["flavor"].items() if key != "id" or value is not None}
    columns = {_COLUMNS[key][0]: _COLUMNS[key][1](value) for key, value in asked.items()}
    if columns.get("rxtx_factor", 1.0) <= 0:
        raise Invalid("'rxtx_factor' must be more than 0")
    return {"flavor": full(request, row_of(create_flavor(columns)))}


@endpoint("os_compute_api:os-flavor-manage:update", body=UPDATE, since="2.55")
def update(request: ApiRequest, flavor_id: str) -> dict[str, Any]:
    """Change a flavor's description."""
    flavor = get_flavor(request.context, flavor_id)
    return {"flavor": full(request, row_of(describe_flavor(flavor, request.body["flavor"]["description"])))}


@endpoint("os_compute_api:os-flavor-manage:delete", status=202)
def delete(request: ApiRequest, flavor_id: str) -> None:
    """Remove a flavor."""
    delete_flavor(get_flavor(request.context, flavor_id))


def row_of(flavor: Flavor) -> Row:
    """Return a flavor's columns."""
    return model_to_dict(flavor)


def _listing(request: ApiRequest, view: Callable[[ApiRequest, Row], dict[str, Any]], below: str) -> dict[str, Any]:
    query = request.query
    page = FlavorPage(
        limit=read_limit(query), marker=query.get("marker", ""), sort_key=query.get("sort_key") or "flavorid",
        is_descending=query.get("sort_dir") == "desc",
    )  # fmt: skip
    rows = list_flavors(request.context, _filter(request), page)
    answer: dict[str, Any] = {"flavors": [view(request, row) for row in rows]}
    if rows and len(rows) == page.limit:
        answer |= page_links(request, "flavors_links", rows[-1]["flavorid"], below)
    return answer


def _filter(request: ApiRequest) -> FlavorFilter:
    is_admin = request.context.is_admin
    return FlavorFilter(
        is_public=_is_public(request.query.get("is_public")) if is_admin else True,
        with_disabled=is_admin,
        min_ram=_least(request, "minRam"),
        min_disk=_least(request, "minDisk"),
        name_pattern=request.query.get("name", "") if request.version >= _NAME_FILTER else "",
    )


def _is_public(text: str | None) -> bool | None:
    if text is None:
        return True
    if text.strip().lower() not in _TRUTHS:
        raise Invalid(f"Invalid is_public filter [{text[:100]}]")
    return _TRUTHS[text.strip().lower()]


def _least(request: ApiRequest, name: str) -> int:
    text = request.query.get(name, "0").strip()
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise Invalid(f"Invalid {name} filter [{text[:100]}]")
    return int(text)


ROUTES = [
    route("/flavors", GET=index, POST=create),
    route("/flavors/detail", GET=detail),
    route("/flavors/<str:flavor_id>", GET=show, PUT=update, DELETE=delete),
]
