"""Tags of every kind of resource. GET 200, or 204 for one tag; PUT 200, or 201; DELETE 204.

Source: https://docs.openstack.org/api-ref/network/v2/#standard-attributes-tag-extension
"""

from cloud.core.endpoints import ApiRequest, Reply, Route, endpoint, route
from cloud.core.validation import check_body
from cloud.networks.api.collection import Body, Collection
from cloud.networks.api.floating_ips import FLOATING_IPS
from cloud.networks.api.networks import NETWORKS
from cloud.networks.api.ports import PORTS
from cloud.networks.api.qos_policies import POLICIES
from cloud.networks.api.routers import ROUTERS
from cloud.networks.api.schemas import TAG, TAGS
from cloud.networks.api.security_groups import GROUPS
from cloud.networks.api.subnet_pools import POOLS
from cloud.networks.api.subnets import SUBNETS
from cloud.networks.selectors.owned import (
    lock_floating_ip,
    lock_group,
    lock_network,
    lock_port,
    lock_qos_policy,
    lock_router,
    lock_subnet,
    lock_subnet_pool,
)
from cloud.networks.selectors.rows import tags_of
from cloud.networks.services import tags
from cloud.networks.services.tags import Own

REPLACE = {"type": "object", "properties": {"tags": TAGS}, "required": ["tags"], "additionalProperties": False}
_ONE = {"type": "object", "properties": {"tag": TAG}}
_KINDS: tuple[tuple[Collection, Own], ...] = (
    (NETWORKS, lock_network), (SUBNETS, lock_subnet), (PORTS, lock_port), (GROUPS, lock_group),
    (ROUTERS, lock_router), (FLOATING_IPS, lock_floating_ip), (POOLS, lock_subnet_pool), (POLICIES, lock_qos_policy),
)


def _see(request: ApiRequest, kind: Collection, resource_id: str) -> None:
    if not kind.visible(request.context).filter(id=resource_id).exists():
        raise kind.not_found(resource_id)


def _routes(kind: Collection, own: Own) -> list[Route]:
    """Return the tag routes of a kind of resource; `own` refuses what the token may not change."""

    @endpoint(f"get_{kind.name}:tags")
    def index(request: ApiRequest, resource_id: str) -> Body:
        """List the tags of a resource."""
        _see(request, kind, resource_id)
        return {"tags": tags_of([resource_id]).get(resource_id, [])}

    @endpoint(f"update_{kind.name}:tags", body=REPLACE)
    def replace(request: ApiRequest, resource_id: str) -> Body:
        """Replace the tags of a resource."""
        tags.replace_tags(own, request.context, resource_id, request.body["tags"])
        return {"tags": tags_of([resource_id]).get(resource_id, [])}

    @endpoint(f"update_{kind.name}:tags", status=204)
    def clear(request: ApiRequest, resource_id: str) -> None:
        """Take all tags off a resource."""
        tags.replace_tags(own, request.context, resource_id, [])

    @endpoint(f"get_{kind.name}:tags", status=204)
    def show(request: ApiRequest, resource_id: str, tag: str) -> None:
        """Tell whether a resource has a tag."""
        _see(request, kind, resource_id)
        tags.require_tag(resource_id, tag)

    @endpoint(f"update_{kind.name}:tags", status=201)
    def add(request: ApiRequest, resource_id: str, tag: str) -> Reply:
        """Put a tag on a resource."""
        check_body(_ONE, {"tag": tag})
        tags.add_tag(own, request.context, resource_id, tag)
        return Reply()

    @endpoint(f"update_{kind.name}:tags", status=204)
    def remove(request: ApiRequest, resource_id: str, tag: str) -> None:
        """Take a tag off a resource."""
        tags.remove_tag(own, request.context, resource_id, tag)

    path = f"/v2.0/{kind.path}/<str:resource_id>/tags"
    return [
        route(path, GET=index, PUT=replace, DELETE=clear),
        route(f"{path}/<str:tag>", GET=show, PUT=add, DELETE=remove),
    ]


ROUTES = [one for kind, own in _KINDS for one in _routes(kind, own)]
