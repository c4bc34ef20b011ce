"""Metadata of servers.

Source: https://docs.openstack.org/api-ref/compute/#server-metadata-servers-metadata
"""

from typing import Any

from cloud.compute.api.schema_parts import NO_QUERY, closed, metadata
from cloud.compute.errors import MetadataItemNotFound
from cloud.compute.selectors import servers
from cloud.compute.services import server_metadata
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid

_POLICY = "os_compute_api:server-metadata:"
_ITEMS = closed({"metadata": metadata()}, ["metadata"])
_ITEM = closed({"meta": metadata(minProperties=1, maxProperties=1)}, ["meta"])


@endpoint(_POLICY + "index", query=NO_QUERY)
def index(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """List a server's metadata."""
    return {"metadata": servers.get(request.context, server_id).metadata}


@endpoint(_POLICY + "create", body=_ITEMS)
def create(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """Add items, or change those there are."""
    instance = servers.get(request.context, server_id)
    return {"metadata": server_metadata.merge(request.context, instance, request.body["metadata"])}


@endpoint(_POLICY + "update_all", body=_ITEMS)
def update_all(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """Replace all items."""
    instance = servers.get(request.context, server_id)
    return {"metadata": server_metadata.replace(request.context, instance, request.body["metadata"])}


@endpoint(_POLICY + "show", query=NO_QUERY)
def show(request: ApiRequest, server_id: str, key: str) -> dict[str, Any]:
    """Show an item."""
    items = servers.get(request.context, server_id).metadata
    if key not in items:
        raise MetadataItemNotFound
    return {"meta": {key: items[key]}}


@endpoint(_POLICY + "update", body=_ITEM)
def update(request: ApiRequest, server_id: str, key: str) -> dict[str, Any]:
    """Add or change one item."""
    item = request.body["meta"]
    if key not in item:
        raise Invalid("Request body and URI mismatch")
    server_metadata.merge(request.context, servers.get(request.context, server_id), item)
    return {"meta": item}


@endpoint(_POLICY + "delete", status=204)
def delete(request: ApiRequest, server_id: str, key: str) -> None:
    """Remove an item."""
    server_metadata.remove(request.context, servers.get(request.context, server_id), key)


ROUTES = [
    route("/servers/<str:server_id>/metadata", GET=index, POST=create, PUT=update_all),
    route("/servers/<str:server_id>/metadata/<str:key>", GET=show, PUT=update, DELETE=delete),
]
