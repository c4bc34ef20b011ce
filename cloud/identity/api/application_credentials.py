"""/v3/users/{user}/application_credentials."""

from typing import Any

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import micros
from cloud.identity.api.collections import View, collection, self_links
from cloud.identity.api.ownership import need_self, need_self_or_admin, need_self_or_reader
from cloud.identity.api.schemas import CREATE_CREDENTIAL, listing
from cloud.identity.models import ApplicationCredential
from cloud.identity.selectors import credentials as find
from cloud.identity.services.application_credentials import (
    create_application_credential,
    delete_application_credential,
)

_KEY = "application_credential"


def view(request: ApiRequest, row: ApplicationCredential, **more: Any) -> View:
    """Render a credential; its secret is shown once, by `create`."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description or None,
        "project_id": row.project_id,
        "user_id": row.user_id,
        "roles": [{"id": role.id, "name": role.name, "domain_id": role.domain_id} for role in row.roles.all()],
        "expires_at": micros(row.expires_at),
        "unrestricted": row.unrestricted,
        "links": self_links(request, "users", row.user_id, "application_credentials", row.id),
        **more,
    }


@endpoint("identity:list_application_credentials", query=listing("name"))
def index(request: ApiRequest, user_id: str) -> View:
    """200: the user's credentials, by name."""
    need_self_or_reader(request.context, user_id, "identity:list_application_credentials")
    page = find.page(user_id, request.query)
    views = (view(request, row) for row in page.rows)
    return collection(request, "application_credentials", views, page.next_marker)


@endpoint("identity:create_application_credential", status=201, body=CREATE_CREDENTIAL)
def create(request: ApiRequest, user_id: str) -> View:
    """201 with the secret. Users make them for themselves, in the project of their token, and nobody for others."""
    need_self(request.context, user_id, "identity:create_application_credential")
    row, secret = create_application_credential(request.context, request.body[_KEY])
    return {_KEY: view(request, row, secret=secret)}


@endpoint("identity:get_application_credential")
def show(request: ApiRequest, user_id: str, credential_id: str) -> View:
    """200."""
    need_self_or_reader(request.context, user_id, "identity:get_application_credential")
    return {_KEY: view(request, find.one(user_id, credential_id))}


@endpoint("identity:delete_application_credential", status=204)
def delete(request: ApiRequest, user_id: str, credential_id: str) -> None:
    """204; the credential's tokens end."""
    need_self_or_admin(request.context, user_id, "identity:delete_application_credential")
    delete_application_credential(request.context, user_id, credential_id)


ROUTES = [
    route("/v3/users/<str:user_id>/application_credentials", GET=index, POST=create),
    route(
        "/v3/users/<str:user_id>/application_credentials/<str:credential_id>", GET=show, HEAD=show, DELETE=delete
    ),
]
