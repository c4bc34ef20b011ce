"""Migrations: servers that moved, or are on their way.

Source: https://docs.openstack.org/api-ref/compute/#migrations-os-migrations
"""

from typing import Any

from cloud.compute.api import links as urls
from cloud.compute.api.schema_parts import NO_QUERY, NOT_NEGATIVE, TEXT, once, parameters, strict
from cloud.compute.models import Migration
from cloud.compute.selectors import migrations, servers
from cloud.compute.selectors.migrations import MigrationPage
from cloud.core import times
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid, NotFound
from cloud.core.microversions import ByVersion, version
from cloud.core.paging import read_limit
from cloud.core.times import read_time
from cloud.core.validation import Schema

_EQUAL = ("instance_uuid", "source_compute", "status", "migration_type")
_NAMES = ("hidden", "host", *_EQUAL)
_TIME = {**TEXT, "format": "date-time"}
_PAGE = {"limit": NOT_NEGATIVE, "marker": TEXT, "changes-since": _TIME}
_WITH_TYPE, _PAGED, _WITH_OWNER = version("2.23"), version("2.59"), version("2.80")


def _later(*names: str, **schemas: Schema) -> Schema:
    known = parameters(*_NAMES)
    single = once(parameters(*names, **_PAGE, **schemas))
    return strict({**known, "properties": {**known["properties"], **single["properties"]}})


_QUERY = ByVersion({
    "2.1": parameters(*_NAMES),
    "2.59": _later(),
    "2.66": _later(**{"changes-before": _TIME}),
    "2.80": _later("user_id", "project_id", **{"changes-before": _TIME}),
})  # fmt: skip


@endpoint("os_compute_api:os-migrations:index", query=_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List the migrations, the newest first."""
    wanted = _wanted(request)
    # Nothing is ever hidden here.
    rows = [] if request.query.get("hidden", "").lower() in ("true", "1") else migrations.page(wanted)
    numbers = migrations.flavor_numbers(rows)
    body: dict[str, Any] = {"migrations": [_view(request, row, numbers) for row in rows]}
    if request.version >= _PAGED and rows and len(rows) >= wanted.limit:
        body |= urls.page_links(request, "migrations_links", rows[-1].uuid, "os-migrations")
    return body


def _wanted(request: ApiRequest) -> MigrationPage:
    query, equal = request.query, [*_EQUAL]
    if request.version >= _WITH_OWNER:
        equal += ["user_id", "project_id"]
    found = {name: query[name] for name in equal if query.get(name)}
    if request.version < _PAGED:
        return MigrationPage(read_limit(query), host=query.get("host", ""), equal=found)
    since, before = (read_time(query[name]) if name in query else None for name in ("changes-since", "changes-before"))
    if since and before and since > before:
        raise Invalid("The value of changes-since must be less than or equal to changes-before.")
    return MigrationPage(read_limit(query), query.get("marker", ""), query.get("host", ""), found, since, before)


def _view(request: ApiRequest, row: Migration, numbers: dict[str, int]) -> dict[str, Any]:
    body = {
        "id": row.id,
        "instance_uuid": row.instance_uuid,
        "status": row.status,
        "source_compute": row.source_compute,
        "source_node": row.source_node,
        "dest_compute": row.dest_compute or None,
        "dest_node": row.dest_node or None,
        "dest_host": None,
        "old_instance_type_id": numbers.get(row.before["flavor"]["flavorid"]),
        "new_instance_type_id": numbers.get(row.after["flavor"]["flavorid"]),
        "created_at": times.micros(row.created_at),
        "updated_at": times.micros(row.updated_at),
    }
    if request.version >= _WITH_TYPE:
        body["migration_type"] = row.migration_type
    if request.version >= _PAGED:
        body["uuid"] = row.uuid
    if request.version >= _WITH_OWNER:
        body |= {"user_id": row.user_id, "project_id": row.project_id}
    return body


@endpoint("os_compute_api:servers:migrations:index", since="2.23", query=NO_QUERY)
def of_server(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """List the live migrations of a server that are under way: no server moves while it runs."""
    servers.get(request.context, server_id)
    return {"migrations": []}


@endpoint("os_compute_api:servers:migrations:show", since="2.23", query=NO_QUERY)
def show_of_server(request: ApiRequest, server_id: str, migration_id: str) -> None:
    """Show a live migration that is under way."""
    servers.get(request.context, server_id)
    raise NotFound(f"In-progress live migration {migration_id[:40]} is not found for server {server_id}.")


ROUTES = [
    route("/os-migrations", GET=index),
    route("/servers/<str:server_id>/migrations", GET=of_server),
    route("/servers/<str:server_id>/migrations/<str:migration_id>", GET=show_of_server),
]
