"""Bodies of servers, by microversion and by who asks. The fields are in `server_fields`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cloud.compute.api import links as urls
from cloud.compute.api.server_fields import FIELDS, Body, Field, is_whole
from cloud.compute.api.server_values import ABSENT, Shown
from cloud.compute.selectors.server_surroundings import Wanted, load
from cloud.core import policy
from cloud.core.endpoints import ApiRequest

Row = Mapping[str, Any]


def brief(request: ApiRequest, row: Row) -> dict[str, Any]:
    """Return what a plain list shows of a server."""
    return {"id": row["uuid"], "name": row["display_name"], "links": urls.links(request, "servers", row["uuid"])}


def show(request: ApiRequest, row: Row, body: Body = Body.SHOW) -> dict[str, Any]:
    """Return the body of one server."""
    return many(request, [row], body)[0]


def many(request: ApiRequest, rows: Sequence[Row], body: Body = Body.LIST) -> list[dict[str, Any]]:
    """Return the bodies of a page of servers, in a number of queries that does not grow with it."""
    fields = _fields(request, body)
    wanted = Wanted(**{one.needs: True for one in fields if one.needs})
    shown = Shown(
        request,
        load(rows, wanted),
        shows_details=policy.allows(request.context, "os_compute_api:servers:show:fault_details"),
        shows_specs=policy.allows(request.context, "os_compute_api:os-flavor-extra-specs:index"),
        is_extended=is_whole(body, request.version),
    )
    return [_render(fields, row, shown) for row in rows]


def _fields(request: ApiRequest, body: Body) -> list[Field]:
    return [
        one
        for one in FIELDS
        if one.exists_at(request.version, body) and (not one.policy or policy.allows(request.context, one.policy))
    ]


def _render(fields: Iterable[Field], row: Row, shown: Shown) -> dict[str, Any]:
    made = ((one.name, one.make(row, shown)) for one in fields)
    return {name: value for name, value in made if value is not ABSENT}
