"""Tags of servers, from microversion 2.26.

Source: https://docs.openstack.org/api-ref/compute/#server-tags-servers-tags
"""

from typing import Any

from cloud.compute.api import links as urls
from cloud.compute.api.schema_parts import NO_QUERY, closed
from cloud.compute.api.server_create_schema import MAX_TAGS, TAG
from cloud.compute.errors import TagNotFound
from cloud.compute.models import Instance
from cloud.compute.selectors import servers
from cloud.compute.selectors.server_surroundings import tags_of
from cloud.compute.services import server_tags
from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.core.validation import Schema, check_body

_POLICY = "os_compute_api:os-server-tags:"
_SINCE = "2.26"
_TAGS = closed({"tags": {"type": "array", "items": TAG, "maxItems": MAX_TAGS}}, ["tags"])
_NO_BODY: Schema = {"type": "null"}


def _tags(instance: Instance) -> list[str]:
    return tags_of([instance.uuid]).get(instance.uuid, [])


@endpoint(_POLICY + "index", since=_SINCE, query=NO_QUERY)
def index(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """List a server's tags."""
    return {"tags": _tags(servers.get(request.context, server_id))}


@endpoint(_POLICY + "update_all", since=_SINCE, body=_TAGS)
def update_all(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """Replace all tags."""
    return {"tags": server_tags.replace(servers.get(request.context, server_id), request.body["tags"])}


@endpoint(_POLICY + "delete_all", since=_SINCE, status=204)
def delete_all(request: ApiRequest, server_id: str) -> None:
    """Remove all tags."""
    server_tags.clear(servers.get(request.context, server_id))


@endpoint(_POLICY + "show", since=_SINCE, status=204, query=NO_QUERY)
def show(request: ApiRequest, server_id: str, tag: str) -> None:
    """Tell whether a server has a tag."""
    instance = servers.get(request.context, server_id)
    if tag not in _tags(instance):
        raise TagNotFound(uuid=instance.uuid, tag=tag)


@endpoint(_POLICY + "update", since=_SINCE, status=201, body=_NO_BODY)
def update(request: ApiRequest, server_id: str, tag: str) -> Reply:
    """Add a tag: 201 when it is new, 204 when the server had it."""
    check_body(TAG, tag)
    is_new = server_tags.add(servers.get(request.context, server_id), tag)
    location = {"Location": urls.self_url(request, "servers", server_id, "tags", tag)}
    return Reply(status=201 if is_new else 204, headers=location)


@endpoint(_POLICY + "delete", since=_SINCE, status=204)
def delete(request: ApiRequest, server_id: str, tag: str) -> None:
    """Remove a tag."""
    server_tags.remove(servers.get(request.context, server_id), tag)


ROUTES = [
    route("/servers/<str:server_id>/tags", GET=index, PUT=update_all, DELETE=delete_all),
    route("/servers/<str:server_id>/tags/<str:tag>", GET=show, PUT=update, DELETE=delete),
]
