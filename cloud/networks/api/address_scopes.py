"""Address scopes."""

from cloud.networks.api import crud
from cloud.networks.api.collection import Body, Collection
from cloud.networks.api.schemas import BOOLEAN, NAME
from cloud.networks.errors import AddressScopeNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, plain_rows
from cloud.networks.services import address_scopes


def view(row: Row) -> Body:
    """Return a scope's body, which has fewer attributes than others."""
    return {name: row[name] for name in ("id", "name", "project_id", "ip_version", "shared")}


SCOPES = Collection(
    "address_scope", "address_scopes", "address-scopes", visible.address_scopes, plain_rows, view,
    lambda one: AddressScopeNotFound(address_scope_id=one), guarded={"shared": False},
)
ROUTES = crud.routes(crud.Resource(
    SCOPES,
    properties={"name": NAME, "shared": BOOLEAN},
    fixed={"ip_version": {"enum": [4, 6, "4", "6"]}},
    required=("ip_version",),
    truths=("shared",),
    numbers=("ip_version",),
    make=address_scopes.create_scopes,
    update=address_scopes.update_scope,
    delete=address_scopes.delete_scope,
))
