"""The words of this cloud: the service's versions, the resource classes and traits that its providers have. GET 200."""

from typing import Any

from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.core.errors import Invalid
from cloud.placement.api.queries import TRAITS
from cloud.placement.api.service import MICROVERSIONS, SERVICE, reply
from cloud.placement.errors import ResourceClassNotFound, TraitNotFound
from cloud.placement.selectors import providers


@endpoint("")
def versions(request: ApiRequest) -> dict[str, Any]:
    """List the API's versions; no token needed."""
    return {
        "versions": [
            {
                "id": "v1.0",
                "status": "CURRENT",
                "min_version": str(MICROVERSIONS.minimum),
                "max_version": str(MICROVERSIONS.maximum),
                "links": [{"rel": "self", "href": ""}],
            }
        ]
    }


def _class(name: str) -> dict[str, Any]:
    return {"name": name, "links": [{"rel": "self", "href": f"/{SERVICE.prefix}/resource_classes/{name}"}]}


@endpoint("placement:resource_classes:list", since="1.2")
def resource_classes(request: ApiRequest) -> Reply:
    """List the resource classes."""
    return reply(request, {"resource_classes": [_class(name) for name in providers.resource_classes()]})


@endpoint("placement:resource_classes:show", since="1.2")
def resource_class(request: ApiRequest, name: str) -> Reply:
    """Show a resource class."""
    if name not in providers.resource_classes():
        raise ResourceClassNotFound(name=name)
    return reply(request, _class(name))


@endpoint("placement:traits:list", since="1.6", query=TRAITS)
def traits(request: ApiRequest) -> Reply:
    """List the traits, by prefix or by name. All of them are some provider's."""
    text, associated = request.query.get("name", ""), request.query.get("associated", "true").lower()
    if associated not in ("true", "false"):
        raise Invalid('The query parameter "associated" only accepts "true" or "false"')
    if associated == "false":
        return reply(request, {"traits": []})
    if not text:
        return reply(request, {"traits": providers.trait_names()})
    operator, _, value = text.partition(":")
    if operator == "startswith":
        return reply(request, {"traits": providers.trait_names(prefix=value)})
    if operator == "in":
        return reply(request, {"traits": providers.trait_names(names=value.split(","))})
    raise Invalid("Badly formatted name parameter. Expected name query string parameter in form: "
                  "?name=[in|startswith]:[name1,name2|prefix].")


@endpoint("placement:traits:show", since="1.6", status=204)
def trait(request: ApiRequest, name: str) -> None:
    """Tell whether a trait exists."""
    if not providers.trait_names(names=[name]):
        raise TraitNotFound(name=name)


ROUTES = [
    route("", GET=versions),
    route("/", GET=versions),
    route("/resource_classes", GET=resource_classes),
    route("/resource_classes/<str:name>", GET=resource_class),
    route("/traits", GET=traits),
    route("/traits/<str:name>", GET=trait),
]
