"""/v3/services, /v3/endpoints and /v3/regions: the catalog's one table, to be read."""

from typing import Any

from django.conf import settings

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.http import host_of
from cloud.identity.api.collections import View, collection, self_links
from cloud.identity.catalog import SERVICES, ServiceRow, endpoints_of, service_id
from cloud.identity.errors import NoSuch


def _service(request: ApiRequest, row: ServiceRow) -> View:
    id = service_id(row)
    return {
        "id": id, "type": row.type, "name": row.name, "description": "", "enabled": True,
        "links": self_links(request, "services", id),
    }  # fmt: skip


def _services(request: ApiRequest) -> list[View]:
    return [_service(request, row) for row in SERVICES]


def _endpoints(request: ApiRequest) -> list[View]:
    return [
        {**one, "service_id": service_id(row), "enabled": True, "links": self_links(request, "endpoints", one["id"])}
        for row in SERVICES
        for one in endpoints_of(row, host_of(request.url))
    ]


def _regions(request: ApiRequest) -> list[View]:
    region = settings.REGION
    links = self_links(request, "regions", region)
    return [{"id": region, "description": "", "parent_region_id": None, "links": links}]


def _matching(request: ApiRequest, views: list[View], names: tuple[str, ...]) -> list[View]:
    wanted = {name: request.query[name] for name in names if name in request.query}
    return [view for view in views if all(view[name] == value for name, value in wanted.items())]


def _one(views: list[View], kind: str, id: str) -> dict[str, Any]:
    for view in views:
        if view["id"] == id:
            return {kind: view}
    raise NoSuch(kind=kind, id=id[:64])


@endpoint("identity:list_services")
def list_services(request: ApiRequest) -> View:
    """200: services by type and name."""
    return collection(request, "services", _matching(request, _services(request), ("type", "name")))


@endpoint("identity:get_service")
def show_service(request: ApiRequest, service_id: str) -> View:
    """200."""
    return _one(_services(request), "service", service_id)


@endpoint("identity:list_endpoints")
def list_endpoints(request: ApiRequest) -> View:
    """200: endpoints by interface, service_id and region_id."""
    names = ("interface", "service_id", "region_id")
    return collection(request, "endpoints", _matching(request, _endpoints(request), names))


@endpoint("identity:get_endpoint")
def show_endpoint(request: ApiRequest, endpoint_id: str) -> View:
    """200."""
    return _one(_endpoints(request), "endpoint", endpoint_id)


@endpoint("identity:list_regions")
def list_regions(request: ApiRequest) -> View:
    """200: the one region."""
    return collection(request, "regions", _regions(request))


@endpoint("identity:get_region")
def show_region(request: ApiRequest, region_id: str) -> View:
    """200."""
    return _one(_regions(request), "region", region_id)


ROUTES = [
    route("/v3/services", GET=list_services),
    route("/v3/services/<str:service_id>", GET=show_service),
    route("/v3/endpoints", GET=list_endpoints),
    route("/v3/endpoints/<str:endpoint_id>", GET=show_endpoint),
    route("/v3/regions", GET=list_regions),
    route("/v3/regions/<str:region_id>", GET=show_region),
]
