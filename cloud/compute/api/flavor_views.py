"""Flavors as clients see them."""

from collections.abc import Mapping
from typing import Any

from cloud.compute.api.links import links
from cloud.core.endpoints import ApiRequest
from cloud.core.microversions import version
from cloud.core.policy import allows

_DESCRIPTION = version("2.55")
_EXTRA_SPECS = version("2.61")
_SWAP_IS_A_NUMBER = version("2.75")
_SHORT = version("2.102")

Row = Mapping[str, Any]


def brief(request: ApiRequest, row: Row) -> dict[str, Any]:
    """Return the short view."""
    view = {"id": row["flavorid"], "name": row["name"], "links": links(request, "flavors", row["flavorid"])}
    if request.version >= _DESCRIPTION:
        view["description"] = row["description"]
    return view


def full(request: ApiRequest, row: Row) -> dict[str, Any]:
    """Return the whole view."""
    number = request.version
    view = brief(request, row) | {
        "ram": row["memory_mb"],
        "vcpus": row["vcpus"],
        "disk": row["disk_gb"],
        "swap": row["swap_mb"] or (0 if number >= _SWAP_IS_A_NUMBER else ""),
        "OS-FLV-EXT-DATA:ephemeral": row["ephemeral_gb"],
        "os-flavor-access:is_public": row["is_public"],
    }
    if number < _SHORT:
        view["OS-FLV-DISABLED:disabled"] = row["is_disabled"]
        view["rxtx_factor"] = row["rxtx_factor"]
    if number >= _EXTRA_SPECS and allows(request.context, "os_compute_api:os-flavor-extra-specs:index"):
        view["extra_specs"] = row["extra_specs"]
    return view
