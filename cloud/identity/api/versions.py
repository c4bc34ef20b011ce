"""The version documents: what clients read first, without a token."""

from typing import Any

from cloud.core.endpoints import ApiRequest, Reply, endpoint, route


def _version(request: ApiRequest) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{request.url}/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


@endpoint("", status=300)
def choices(request: ApiRequest) -> Reply:
    """300: the versions to choose from."""
    return Reply({"versions": {"values": [_version(request)]}}, headers={"Location": f"{request.url}/v3/"})


@endpoint("")
def version(request: ApiRequest) -> dict[str, Any]:
    """200: version 3."""
    return {"version": _version(request)}


ROUTES = [
    route("", GET=choices, HEAD=choices),
    route("/", GET=choices, HEAD=choices),
    route("/v3", GET=version, HEAD=version),
    route("/v3/", GET=version, HEAD=version),
]
