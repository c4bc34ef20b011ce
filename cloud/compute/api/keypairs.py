"""Key pairs. Users have their own; admins see those of others from microversion 2.10 on."""

from collections.abc import Mapping
from typing import Any

from cloud.compute.api.keypair_schemas import CREATE, LIST_QUERY, ONE_QUERY
from cloud.compute.api.links import page_links
from cloud.compute.models import KeyPair
from cloud.compute.selectors.keypairs import get_keypair, list_keypairs
from cloud.compute.services.keypairs import KeyPairRequest, create_keypair, delete_keypair
from cloud.compute.services.ssh_keys import SSH
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import PolicyNotAuthorized
from cloud.core.microversions import ByVersion, version
from cloud.core.paging import read_limit
from cloud.core.times import micros

_POLICY = "os_compute_api:os-keypairs"
_TYPE = version("2.2")
_USER = version("2.10")
_PAGES = version("2.35")


@endpoint(f"{_POLICY}:index", query=LIST_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List a user's key pairs."""
    user_id = _user(request, "index", request.query.get("user_id"))
    has_pages = request.version >= _PAGES
    limit = read_limit(request.query) if has_pages else None
    rows = list_keypairs(user_id, limit, request.query.get("marker", "") if has_pages else "")
    answer: dict[str, Any] = {
        "keypairs": [{"keypair": _view(request, row, ("name", "public_key", "fingerprint"))} for row in rows]
    }
    if rows and len(rows) == limit:
        answer |= page_links(request, "keypairs_links", rows[-1]["name"], "os-keypairs")
    return answer


@endpoint(f"{_POLICY}:create", body=CREATE, status=ByVersion({"2.1": 200, "2.2": 201}))
def create(request: ApiRequest) -> dict[str, Any]:
    """Import a public key, or make a key pair."""
    asked = request.body["keypair"]
    user_id = _user(request, "create", asked.get("user_id"))
    row, private_key = create_keypair(
        request.context,
        KeyPairRequest(user_id, asked["name"], asked.get("type", SSH), asked.get("public_key")),
    )
    view = _view(request, vars(row), ("name", "public_key", "fingerprint", "user_id"))
    return {"keypair": view | ({"private_key": private_key} if private_key else {})}


@endpoint(f"{_POLICY}:show", query=ONE_QUERY)
def show(request: ApiRequest, name: str) -> dict[str, Any]:
    """Show a key pair."""
    row: KeyPair = get_keypair(_user(request, "show", request.query.get("user_id")), name)
    view = _view(request, vars(row), ("name", "public_key", "fingerprint", "user_id", "id"))
    never = {"deleted": False, "deleted_at": None, "updated_at": None}
    return {"keypair": view | never | {"created_at": micros(row.created_at)}}


@endpoint(f"{_POLICY}:delete", query=ONE_QUERY, status=ByVersion({"2.1": 202, "2.2": 204}))
def delete(request: ApiRequest, name: str) -> None:
    """Remove a key pair."""
    delete_keypair(_user(request, "delete", request.query.get("user_id")), name)


def _user(request: ApiRequest, operation: str, named: str | None) -> str:
    own = request.context.user_id
    user_id = named if named and request.version >= _USER else own
    if user_id != own and not request.context.is_admin:
        raise PolicyNotAuthorized(policy=f"{_POLICY}:{operation}")
    return user_id


def _view(request: ApiRequest, row: Mapping[str, Any], columns: tuple[str, ...]) -> dict[str, Any]:
    shown = (*columns, "type") if request.version >= _TYPE else columns
    return {column: row[column] for column in shown}


ROUTES = [
    route("/os-keypairs", GET=index, POST=create),
    route("/os-keypairs/<str:name>", GET=show, DELETE=delete),
]
