"""Resource providers, their inventories, usages, allocations, aggregates and traits. GET 200."""

from typing import Any

from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.placement.api.queries import PROVIDERS, criteria
from cloud.placement.api.service import SERVICE, has, reply
from cloud.placement.errors import InventoryNotFound
from cloud.placement.selectors import providers
from cloud.placement.selectors.criteria import matching

_BASE = f"/{SERVICE.prefix}/resource_providers"
# Link and the microversion since which providers have it.
_LINKS = (("self", "1.0"), ("inventories", "1.0"), ("usages", "1.0"), ("aggregates", "1.1"), ("traits", "1.6"),
          ("allocations", "1.11"))
_INVENTORY = ("total", "reserved", "min_unit", "max_unit", "step_size", "allocation_ratio")


def view(request: ApiRequest, row: providers.Row) -> dict[str, Any]:
    """Return a provider's body."""
    url = f"{_BASE}/{row['uuid']}"
    body = {
        "uuid": row["uuid"],
        "name": row["name"],
        "generation": row["generation"],
        "links": [
            {"rel": rel, "href": url if rel == "self" else f"{url}/{rel}"} for rel, since in _LINKS
            if has(request, since)
        ],
    }
    if has(request, "1.14"):
        body |= {"parent_provider_uuid": row["parent_uuid"], "root_provider_uuid": row["root_uuid"]}
    return body


def _inventory(row: providers.Row) -> dict[str, Any]:
    return {name: row[name] for name in _INVENTORY}


def _generation(row: providers.Row) -> dict[str, int]:
    return {"resource_provider_generation": row["generation"]}


@endpoint("placement:resource_providers:list", query=PROVIDERS)
def index(request: ApiRequest) -> Reply:
    """List providers."""
    rows = providers.provider_rows(matching(criteria(request.query)))
    return reply(request, {"resource_providers": [view(request, row) for row in rows]})


@endpoint("placement:resource_providers:show")
def show(request: ApiRequest, uuid: str) -> Reply:
    """Show a provider."""
    return reply(request, view(request, providers.provider(uuid)))


@endpoint("placement:resource_providers:inventories:list")
def inventories(request: ApiRequest, uuid: str) -> Reply:
    """Show what a provider has."""
    row = providers.provider(uuid)
    held = {one["resource_class"]: _inventory(one) for one in providers.inventories([row["id"]])[row["id"]]}
    return reply(request, {"inventories": held, **_generation(row)})


@endpoint("placement:resource_providers:inventories:show")
def inventory(request: ApiRequest, uuid: str, resource_class: str) -> Reply:
    """Show what a provider has of a resource class."""
    row = providers.provider(uuid)
    for one in providers.inventories([row["id"]])[row["id"]]:
        if one["resource_class"] == resource_class:
            return reply(request, {**_inventory(one), **_generation(row)})
    raise InventoryNotFound(resource_class=resource_class, uuid=uuid)


@endpoint("placement:resource_providers:usages")
def usages(request: ApiRequest, uuid: str) -> Reply:
    """Show how much of a provider is held."""
    row = providers.provider(uuid)
    used = {one["resource_class"]: one["used"] for one in providers.inventories([row["id"]])[row["id"]]}
    return reply(request, {"usages": used, **_generation(row)})


@endpoint("placement:resource_providers:allocations:list")
def allocations(request: ApiRequest, uuid: str) -> Reply:
    """Show who holds what of a provider."""
    row = providers.provider(uuid)
    generation = {"consumer_generation": 1} if has(request, "1.28") else {}
    held = {consumer: {"resources": amounts, **generation}
            for consumer, amounts in providers.holders(row["id"]).items()}
    return reply(request, {"allocations": held, **_generation(row)})


@endpoint("placement:resource_providers:aggregates:list", since="1.1")
def aggregates(request: ApiRequest, uuid: str) -> Reply:
    """Show the aggregates of a provider."""
    row = providers.provider(uuid)
    generation = _generation(row) if has(request, "1.19") else {}
    return reply(request, {"aggregates": row["aggregates"], **generation})


@endpoint("placement:resource_providers:traits:list", since="1.6")
def traits(request: ApiRequest, uuid: str) -> Reply:
    """Show the traits of a provider."""
    row = providers.provider(uuid)
    return reply(request, {"traits": providers.traits([row["id"]])[row["id"]], **_generation(row)})


_ONE = "/resource_providers/<str:uuid>"
ROUTES = [
    route("/resource_providers", GET=index),
    route(_ONE, GET=show),
    route(f"{_ONE}/inventories", GET=inventories),
    route(f"{_ONE}/inventories/<str:resource_class>", GET=inventory),
    route(f"{_ONE}/usages", GET=usages),
    route(f"{_ONE}/allocations", GET=allocations),
    route(f"{_ONE}/aggregates", GET=aggregates),
    route(f"{_ONE}/traits", GET=traits),
]
