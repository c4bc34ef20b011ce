"""What consumers hold, what projects hold, and where something would fit. GET 200."""

from typing import Any

from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.placement.api.queries import CANDIDATES, USAGES, criteria
from cloud.placement.api.service import has, reply
from cloud.placement.selectors import providers
from cloud.placement.selectors.criteria import matching

MAX_CANDIDATES = 1000
# A consumer's allocations are made and removed as a whole and never change, so that there is one generation of them.
_CONSUMER_GENERATION = 1


@endpoint("placement:allocations:list")
def show(request: ApiRequest, consumer_uuid: str) -> Reply:
    """Show what a consumer holds; nothing is an answer too."""
    rows = providers.held_by(consumer_uuid)
    held: dict[str, dict[str, Any]] = {}
    for row in rows:
        at = held.setdefault(row["provider__uuid"], {"generation": row["provider__generation"], "resources": {}})
        at["resources"][row["resource_class"]] = row["used"]
    body: dict[str, Any] = {"allocations": held}
    if rows and has(request, "1.12"):
        body |= {name: rows[0][name] for name in ("project_id", "user_id")}
    if rows and has(request, "1.28"):
        body["consumer_generation"] = _CONSUMER_GENERATION
    if rows and has(request, "1.38"):
        body["consumer_type"] = providers.CONSUMER_TYPE
    return reply(request, body)


@endpoint("placement:usages", since="1.9", query=USAGES)
def usages(request: ApiRequest) -> Reply:
    """Show what a project, or one of its users, holds."""
    used, consumers = providers.used_by(request.query["project_id"], request.query.get("user_id", ""))
    if not has(request, "1.38"):
        return reply(request, {"usages": used})
    kind = request.query.get("consumer_type", providers.CONSUMER_TYPE)
    groups = {"all": "all", providers.CONSUMER_TYPE: providers.CONSUMER_TYPE}
    shown = {groups[kind]: {**used, "consumer_count": consumers}} if kind in groups and consumers else {}
    return reply(request, {"usages": shown})


@endpoint("placement:allocation_candidates:list", since="1.10", query=CANDIDATES)
def candidates(request: ApiRequest) -> Reply:
    """List providers that have enough left for what is asked."""
    asked = criteria(request.query)
    limit = min(int(request.query.get("limit", MAX_CANDIDATES)), MAX_CANDIDATES)
    rows = providers.provider_rows(matching(asked)[:limit])
    ids = [row["id"] for row in rows]
    inventories, traits = providers.inventories(ids), providers.traits(ids)
    return reply(request, {
        "allocation_requests": [_allocation_request(request, row["uuid"], dict(asked.resources)) for row in rows],
        "provider_summaries": {
            row["uuid"]: _summary(request, row, inventories[row["id"]], traits[row["id"]], set(asked.resources))
            for row in rows
        },
    })


def _allocation_request(request: ApiRequest, uuid: str, resources: dict[str, int]) -> dict[str, Any]:
    if not has(request, "1.12"):
        return {"allocations": [{"resource_provider": {"uuid": uuid}, "resources": resources}]}
    mappings = {"mappings": {"": [uuid]}} if has(request, "1.34") else {}
    return {"allocations": {uuid: {"resources": resources}}, **mappings}


def _summary(
    request: ApiRequest, row: providers.Row, inventories: list[providers.Row], traits: list[str], asked: set[str]
) -> dict[str, Any]:
    shows_all = has(request, "1.27")
    body: dict[str, Any] = {
        "resources": {
            one["resource_class"]: {"capacity": one["capacity"], "used": one["used"]}
            for one in inventories
            if shows_all or one["resource_class"] in asked
        }
    }
    if has(request, "1.17"):
        body["traits"] = traits
    if has(request, "1.29"):
        body |= {"root_provider_uuid": row["root_uuid"], "parent_provider_uuid": row["parent_uuid"]}
    return body


ROUTES = [
    route("/allocations/<str:consumer_uuid>", GET=show),
    route("/usages", GET=usages),
    route("/allocation_candidates", GET=candidates),
]
