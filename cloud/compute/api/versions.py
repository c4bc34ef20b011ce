"""Version documents, by which clients discover the API. They need no token.

Source: https://docs.openstack.org/api-ref/compute/#api-versions
"""

from typing import Any

from cloud.compute.api.service import MICROVERSIONS
from cloud.core.endpoints import ApiRequest, Endpoint, Route, endpoint, route
from cloud.core.errors import NotFound

_VERSIONS: dict[str, dict[str, Any]] = {
    "v2.0": {
        "path": "v2", "status": "DEPRECATED", "version": "", "min_version": "", "updated": "2011-01-21T11:33:21Z",
    },
    "v2.1": {
        "path": "v2.1", "status": "CURRENT", "version": str(MICROVERSIONS.maximum),
        "min_version": str(MICROVERSIONS.minimum), "updated": "2013-07-23T11:33:21Z",
    },
}
_DESCRIBED_BY = {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}


def _media_types(name: str) -> list[dict[str, str]]:
    number = name.removeprefix("v").removesuffix(".0")
    return [{"base": "application/json", "type": f"application/vnd.openstack.compute+json;version={number}"}]


def _self_link(request: ApiRequest, name: str, below: str = "") -> dict[str, str]:
    return {"rel": "self", "href": f"{request.url}/{_VERSIONS[name]['path']}/{below}"}


def _summary(request: ApiRequest, name: str) -> dict[str, Any]:
    known = _VERSIONS[name]
    fields = {key: known[key] for key in ("status", "version", "min_version", "updated")}
    return {"id": name, **fields, "links": [_self_link(request, name)]}


def _document(request: ApiRequest, name: str) -> dict[str, Any]:
    whole = _summary(request, name)
    whole["links"].append(dict(_DESCRIBED_BY))
    return {"version": {**whole, "media-types": _media_types(name)}}


@endpoint("")
def index(request: ApiRequest) -> dict[str, Any]:
    """List the versions."""
    return {"versions": [_summary(request, name) for name in _VERSIONS]}


@endpoint("")
def show_v20(request: ApiRequest) -> dict[str, Any]:
    """Show v2.0."""
    return _document(request, "v2.0")


@endpoint("")
def show_v21(request: ApiRequest) -> dict[str, Any]:
    """Show v2.1."""
    return _document(request, "v2.1")


@endpoint("os_compute_api:versions")
def show(request: ApiRequest, version_id: str) -> dict[str, Any]:
    """Show a version by its id."""
    if version_id not in _VERSIONS:
        raise NotFound
    return _document(request, version_id)


@endpoint("", status=300)
def choices(request: ApiRequest, rest: str) -> dict[str, Any]:
    """Say below which versions a path without one may be found."""
    return {
        "choices": [
            {
                "id": name,
                "status": known["status"],
                "links": [_self_link(request, name, rest)],
                "media-types": _media_types(name),
            }
            for name, known in _VERSIONS.items()
        ]
    }


def _for_all_methods(found: Endpoint) -> dict[str, Endpoint]:
    return dict.fromkeys(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), found)


UNVERSIONED_ROUTES = [
    route("", GET=index),
    route("/", GET=index),
    route("/v2", GET=show_v20),
    route("/v2/", GET=show_v20),
]
VERSIONED_ROUTES = [route("/v2.1", GET=show_v21), route("/v2.1/", GET=show_v21)]
CHOICES_ROUTE: Route = route("/<path:rest>", **_for_all_methods(choices))
ROUTES = [route("/versions/<str:version_id>", GET=show)]
