"""The five operations that most kinds of resources have, from a table. GET 200, POST 201, PUT 200, DELETE 204."""

from collections.abc import Callable
from dataclasses import dataclass

from cloud.core.context import RequestContext
from cloud.core.endpoints import ApiRequest, Route, endpoint, route
from cloud.core.times import seconds_z
from cloud.core.validation import Schema
from cloud.networks.api.collection import Body, Collection, changes, drafts, listed, made, shown
from cloud.networks.api.schemas import change, creation, with_numbers, with_truths
from cloud.networks.selectors.rows import Row


@dataclass(frozen=True)
class Resource:
    """A kind of resource that is made, changed and removed by services of one shape.

    Attributes:
        kind: how it is read and shown.
        properties: of both bodies. fixed: of the one that makes it. required: of the same.
        truths, numbers: properties that are truth values, or whole numbers, which come as words too.
        make: from attributes with their `project_id` to ids, all or none. update, delete: by id.
    """

    kind: Collection
    properties: Schema
    make: Callable[[RequestContext, list[Body]], list[str]]
    update: Callable[[RequestContext, str, Body], None]
    delete: Callable[[RequestContext, str], None]
    fixed: Schema | None = None
    required: tuple[str, ...] = ()
    truths: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def standard(row: Row) -> Body:
    """Return what all bodies begin with."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project_id": row["project_id"],
        "tags": row["tags"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


def routes(resource: Resource) -> list[Route]:
    """Return the routes of a kind of resource."""
    kind, what = resource.kind, resource.kind.name
    properties = {**resource.properties, **(resource.fixed or {})}
    creating = creation(what, kind.plural, properties, list(resource.required))

    @endpoint(f"get_{what}")
    def index(request: ApiRequest) -> Body:
        """List resources of a kind."""
        return listed(request, kind)

    @endpoint(f"get_{what}")
    def show(request: ApiRequest, resource_id: str) -> Body:
        """Show one."""
        return shown(request, kind, resource_id)

    @endpoint(f"create_{what}", status=201, body=creating)
    def create(request: ApiRequest) -> Body:
        """Make some."""
        wanted = [_read(resource, item) for item in drafts(request, kind)]
        return made(request, kind, resource.make(request.context, wanted))

    @endpoint(f"update_{what}", body=change(what, resource.properties))
    def update(request: ApiRequest, resource_id: str) -> Body:
        """Change one."""
        resource.update(request.context, resource_id, _read(resource, changes(request, kind)))
        return shown(request, kind, resource_id)

    @endpoint(f"delete_{what}", status=204)
    def delete(request: ApiRequest, resource_id: str) -> None:
        """Remove one."""
        resource.delete(request.context, resource_id)

    return [
        route(f"/v2.0/{kind.path}", GET=index, POST=create),
        route(f"/v2.0/{kind.path}/<str:resource_id>", GET=show, PUT=update, DELETE=delete),
    ]


def _read(resource: Resource, item: Body) -> Body:
    """Return an item with its words for truth values and numbers as what they mean."""
    return with_numbers(with_truths(item, *resource.truths), *resource.numbers)
