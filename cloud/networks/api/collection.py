"""What all kinds of network resources have in common: lists, one of them, making some, changing and removing one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict

from cloud.core import policy
from cloud.core.context import RequestContext
from cloud.core.endpoints import ApiRequest
from cloud.core.errors import CloudError
from cloud.core.paging import read_limit
from cloud.networks.errors import BadRequest
from cloud.networks.selectors.filters import boolean
from cloud.networks.selectors.listing import PageQuery, page
from cloud.networks.selectors.rows import Reader, Row

Body = dict[str, Any]
_NOT_FILTERS = frozenset({"fields", "sort_key", "sort_dir", "limit", "marker", "page_reverse"})


@dataclass(frozen=True)
class Collection:
    """A kind of resource.

    Attributes:
        name: `security_group`. plural: key of a list. path: below /v2.0.
        visible: the rows that a token may see. read: rows with all that belongs to them. view: a row's body.
        not_found: the error for an id.
        guarded: attributes that need a policy row of their own, with the value that anyone may give when making one.
        hidden: attributes that are shown to those only whom the row `get_<name>:<attribute>` allows.
    """

    name: str
    plural: str
    path: str
    visible: Callable[[RequestContext], QuerySet[Any]]
    read: Reader
    view: Callable[[Row], Body]
    not_found: Callable[[str], CloudError]
    guarded: Mapping[str, Any] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)


def listed(request: ApiRequest, kind: Collection) -> Body:
    """Answer a list."""
    query = _page_query(request.query)
    _check_filters(request.context, kind, query)
    rows = kind.read(page(kind.visible(request.context), query, kind.not_found))
    if query.is_reverse:
        rows.reverse()
    body: Body = {kind.plural: [_shown(request, kind, row) for row in rows]}
    links = _links(request, query, rows)
    if links:
        body[f"{kind.plural}_links"] = links
    return body


def shown(request: ApiRequest, kind: Collection, resource_id: str) -> Body:
    """Answer one resource."""
    return {kind.name: _shown(request, kind, _one(request.context, kind, resource_id))}


def drafts(request: ApiRequest, kind: Collection) -> list[Body]:
    """Return what a request wants made: one or several, each with the project that will own it.

    Raises:
        BadRequest: another's project, or none.
        PolicyNotAuthorized: an attribute that is not for everyone.
    """
    items = request.body[kind.plural] if kind.plural in request.body else [request.body[kind.name]]
    for item in items:
        _check_guarded(request.context, kind, "create", _explicit(kind, item))
    return [{**item, "project_id": _owner(request.context, item)} for item in items]


def made(request: ApiRequest, kind: Collection, ids: list[str]) -> Body:
    """Answer what was made, in the form in which it was asked for."""
    by_id = {row["id"]: row for row in kind.read(kind.visible(request.context).filter(id__in=ids))}
    views = [_shown(request, kind, by_id[one]) for one in ids]
    return {kind.plural: views} if kind.plural in request.body else {kind.name: views[0]}


def changes(request: ApiRequest, kind: Collection) -> Body:
    """Return what a request wants changed. Raises PolicyNotAuthorized for an attribute that is not for everyone."""
    item: Body = request.body[kind.name]
    _check_guarded(request.context, kind, "update", set(item))
    return item


def _one(context: RequestContext, kind: Collection, resource_id: str) -> Row:
    rows = kind.read(kind.visible(context).filter(id=resource_id))
    if not rows:
        raise kind.not_found(resource_id)
    return rows[0]


def _shown(request: ApiRequest, kind: Collection, row: Row) -> Body:
    body = kind.view(row)
    body["tenant_id"] = body["project_id"]
    for attribute, row_name in kind.hidden.items():
        if not policy.allows(request.context, row_name):
            del body[attribute]
    wanted = request.query.getlist("fields")
    return {name: body[name] for name in body if name in wanted} if wanted else body


def _check_filters(context: RequestContext, kind: Collection, query: PageQuery) -> None:
    """Refuse to filter by what the token may not see."""
    for attribute, row_name in kind.hidden.items():
        if attribute in query.filters:
            policy.enforce(context, row_name)


def _explicit(kind: Collection, item: Body) -> set[str]:
    return {name for name, harmless in kind.guarded.items() if name in item and item[name] not in (harmless, None)}


def _check_guarded(context: RequestContext, kind: Collection, verb: str, names: set[str]) -> None:
    for name in sorted(names & set(kind.guarded)):
        policy.enforce(context, f"{verb}_{kind.name}:{name}")


def _owner(context: RequestContext, item: Body) -> str:
    named = {item[key] for key in ("project_id", "tenant_id") if item.get(key)}
    if len(named) > 1:
        raise BadRequest("'project_id' and 'tenant_id' are both given and differ")
    owner = next(iter(named), context.project_id)
    if not owner:
        raise BadRequest("project_id must be given with a token that is for no project")
    if owner != context.project_id and not context.is_admin:
        raise BadRequest(
            "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin "
            "privileges"
        )
    return str(owner)


def _page_query(query: QueryDict) -> PageQuery:
    keys, directions = query.getlist("sort_key"), query.getlist("sort_dir")
    if directions and len(directions) != len(keys):
        raise BadRequest("The number of sort_keys and sort_dirs must be same")
    if any(direction not in ("asc", "desc") for direction in directions):
        raise BadRequest("sort_dir must be asc or desc")
    descending = [direction == "desc" for direction in directions] or [False] * len(keys)
    return PageQuery(
        filters={name: values for name, values in query.lists() if name not in _NOT_FILTERS},
        sort=list(zip(keys, descending, strict=True)),
        # Without a limit Neutron gives everything; 0 is no limit either.
        limit=read_limit(query) if query.get("limit") else 0,
        marker=query.get("marker", ""),
        is_reverse=boolean("page_reverse", query.get("page_reverse", "false")),
    )


def _links(request: ApiRequest, query: PageQuery, rows: list[Row]) -> list[dict[str, str]]:
    if not query.limit or not rows:
        return []
    is_full = len(rows) >= query.limit
    links = []
    if is_full or query.is_reverse:
        links.append({"rel": "next", "href": _href(request, rows[-1]["id"], is_reverse=False)})
    if is_full or not query.is_reverse:
        links.append({"rel": "previous", "href": _href(request, rows[0]["id"], is_reverse=True)})
    return links


def _href(request: ApiRequest, marker: str, *, is_reverse: bool) -> str:
    pairs = [(name, value) for name, values in request.query.lists() for value in values
             if name not in ("marker", "page_reverse")]
    pairs.append(("marker", marker))
    if is_reverse:
        pairs.append(("page_reverse", "True"))
    return f"{request.url}{request.path}?{urlencode(pairs)}"
