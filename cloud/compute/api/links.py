"""Links in compute's bodies: `self` below the version, `bookmark` without it.

Both name the project exactly when the request's URL did.
"""

from cloud.core.endpoints import ApiRequest
from cloud.core.paging import next_link

_VERSION = "/v2.1"


def _project(request: ApiRequest) -> str:
    project = f"/{request.context.project_id}"
    is_named = project != "/" and f"{request.path}/".startswith(f"{_VERSION}{project}/")
    return project if is_named else ""


def self_url(request: ApiRequest, *below: object) -> str:
    """Return a URL below the version: `self_url(request, "flavors", "1")`."""
    return "/".join([request.url + _VERSION + _project(request), *map(str, below)])


def bookmark(request: ApiRequest, *below: object) -> dict[str, str]:
    """Return a bookmark link: the URL without the version."""
    return {"rel": "bookmark", "href": "/".join([request.url + _project(request), *map(str, below)])}


def links(request: ApiRequest, *below: object) -> list[dict[str, str]]:
    """Return the self and the bookmark link."""
    return [{"rel": "self", "href": self_url(request, *below)}, bookmark(request, *below)]


def page_links(request: ApiRequest, name: str, marker: str, below: str) -> dict[str, list[dict[str, str]]]:
    """Return `{name: [a next link]}`, to be merged into the body of a list whose page is full.

    `name` is e.g. `flavors_links`, `marker` the id of the last row, `below` the list's path: `flavors/detail`.
    """
    return {name: [next_link(self_url(request, below), request.query, marker)]}
