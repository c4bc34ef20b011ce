"""Links, and the envelope of every list."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from cloud.core.endpoints import ApiRequest

View = dict[str, Any]


def link(request: ApiRequest, *parts: str) -> str:
    """Return the URL of a resource: `link(request, "users", id)`."""
    return "/".join((request.url, "v3", *parts))


def self_links(request: ApiRequest, *parts: str) -> dict[str, str]:
    """Return the `links` of a resource."""
    return {"self": link(request, *parts)}


def collection(request: ApiRequest, key: str, views: Iterable[View], next_marker: str = "") -> View:
    """Return a list under its key, with links to itself and to the next page."""
    url = request.url + request.path
    query = request.query.urlencode()
    following = None
    if next_marker:
        kept = [(name, value) for name, values in request.query.lists() for value in values if name != "marker"]
        following = f"{url}?{urlencode([*kept, ('marker', next_marker)])}"
    return {
        key: list(views),
        "links": {"self": f"{url}?{query}" if query else url, "previous": None, "next": following},
    }
