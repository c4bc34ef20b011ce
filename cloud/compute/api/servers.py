"""Servers: list, create, show, update, delete.

Source: https://docs.openstack.org/api-ref/compute/#servers-servers
"""

from typing import Any

from cloud.compute.api import links as urls
from cloud.compute.api import server_views as views
from cloud.compute.api.passwords import new_password
from cloud.compute.api.schema_parts import NO_QUERY, is_true
from cloud.compute.api.server_bodies import read_client_token, read_create
from cloud.compute.api.server_create_schema import CREATE
from cloud.compute.api.server_filters import read_listing
from cloud.compute.api.server_list_schema import QUERY
from cloud.compute.api.server_update_schema import UPDATE
from cloud.compute.models import Instance
from cloud.compute.selectors import servers
from cloud.compute.services import create_once, create_servers, delete_server, update_server
from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.core.long_lists import turns


@endpoint("os_compute_api:servers:index", query=QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List servers by id and name."""
    listing = read_listing(request, is_detail=False)
    rows = servers.page(listing, servers.BRIEF)
    return {"servers": [views.brief(request, row) for row in rows], **_next(request, rows, listing.limit, "servers")}


@endpoint("os_compute_api:servers:detail", query=QUERY)
def detail(request: ApiRequest) -> dict[str, Any]:
    """List servers with all that is known of them."""
    listing = read_listing(request, is_detail=True)
    with turns.turn(lambda: servers.is_long(listing)):
        rows = servers.page(listing)
        return {"servers": views.many(request, rows), **_next(request, rows, listing.limit, "servers/detail")}


def _next(request: ApiRequest, rows: list[servers.Row], limit: int, below: str) -> dict[str, Any]:
    if not rows or len(rows) < limit:
        return {}
    return urls.page_links(request, "servers_links", rows[-1]["uuid"], below)


@endpoint("os_compute_api:servers:show", query=NO_QUERY)
def show(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """Show a server."""
    return {"server": views.show(request, servers.get_row(request.context, server_id))}


@endpoint("os_compute_api:servers:create", status=202, body=CREATE)
def create(request: ApiRequest) -> Reply:
    """Create one server or several."""
    body = request.body["server"]
    made, is_new = _make(request)
    if is_true(body.get("return_reservation_id", False)):
        return Reply({"reservation_id": made[0].reservation_id})
    first = made[0]
    answer = {
        "id": first.uuid,
        "links": urls.links(request, "servers", first.uuid),
        "OS-DCF:diskConfig": first.disk_config,
        "security_groups": body.get("security_groups") or [{"name": "default"}],
    }
    # What was made by an earlier request has the password that it was told then.
    if is_new or body.get("adminPass"):
        answer["adminPass"] = body.get("adminPass") or new_password()
    return Reply({"server": answer}, headers={"Location": urls.self_url(request, "servers", first.uuid)})


def _make(request: ApiRequest) -> tuple[list[Instance], bool]:
    """Create what is asked, or find what this very request created before; tell whether it is new."""
    asked, token = read_create(request), read_client_token(request)
    if token:
        return create_once.create_once(request.context, asked, token, request.body["server"])
    return create_servers.create(request.context, asked), True


@endpoint("os_compute_api:servers:update", body=UPDATE)
def update(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """Change a server's name, description, addresses, hostname or zone."""
    instance = servers.get(request.context, server_id)
    update_server.update(instance, request.body["server"])
    row = servers.get_row(request.context, server_id)
    return {"server": views.show(request, row, views.Body.UPDATE)}


@endpoint("os_compute_api:servers:delete", status=204)
def delete(request: ApiRequest, server_id: str) -> None:
    """Delete a server."""
    delete_server.delete(request.context, servers.get(request.context, server_id))


ROUTES = [
    route("/servers", GET=index, POST=create),
    route("/servers/detail", GET=detail),
    route("/servers/<str:server_id>", GET=show, PUT=update, DELETE=delete),
]
