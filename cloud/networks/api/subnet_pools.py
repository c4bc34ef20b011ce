"""Subnet pools."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.networks.api import crud
from cloud.networks.api.collection import Body, Collection
from cloud.networks.api.schemas import BOOLEAN, CIDR, ID, NAMED, NUMBER
from cloud.networks.errors import SubnetPoolNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, plain_rows
from cloud.networks.services import subnet_pools

_SHOWN = ("ip_version", "prefixes", "min_prefixlen", "default_prefixlen", "max_prefixlen", "default_quota", "shared",
          "is_default", "address_scope_id")
_LENGTHS = ("min_prefixlen", "default_prefixlen", "max_prefixlen")
_PREFIXES = {"anyOf": [{"type": "array", "items": CIDR, "maxItems": 100}, CIDR]}


def view(row: Row) -> Body:
    """Return a pool's body."""
    return {**crud.standard(row), **{name: row[name] for name in _SHOWN}}


POOLS = Collection(
    "subnetpool", "subnetpools", "subnetpools", visible.subnet_pools, plain_rows, view,
    lambda one: SubnetPoolNotFound(subnetpool_id=one), guarded={"shared": False, "is_default": False},
)
ONBOARD = {"type": "object", "properties": {"network_id": ID}, "required": ["network_id"],
           "additionalProperties": False}


@endpoint("onboard_network_subnets", body=ONBOARD)
def onboard(request: ApiRequest, pool_id: str) -> Body:
    """Let the subnets of a network belong to a pool."""
    return {"subnets": subnet_pools.onboard(request.context, pool_id, request.body["network_id"])}


_CRUD = crud.routes(crud.Resource(
    POOLS,
    properties={
        **NAMED,
        "prefixes": {"type": "array", "items": CIDR, "maxItems": 100},
        **dict.fromkeys(_LENGTHS, NUMBER),
        "default_quota": {"anyOf": [NUMBER, {"type": "null"}]},
        "is_default": BOOLEAN,
        "address_scope_id": {"anyOf": [ID, {"type": "null"}]},
    },
    fixed={"shared": BOOLEAN, "prefixes": _PREFIXES},
    required=("prefixes",),
    truths=("shared", "is_default"),
    numbers=(*_LENGTHS, "default_quota"),
    make=subnet_pools.create_pools,
    update=subnet_pools.update_pool,
    delete=subnet_pools.delete_pool,
))
ROUTES = [*_CRUD, route("/v2.0/subnetpools/<str:pool_id>/onboard_network_subnets", PUT=onboard)]
