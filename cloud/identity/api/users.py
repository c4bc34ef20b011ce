"""/v3/users."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.identity.api.collections import View, collection, self_links
from cloud.identity.api.ownership import home_domain, need_self_or_reader
from cloud.identity.api.projects import view as project_view
from cloud.identity.api.schemas import CHANGE_PASSWORD, CREATE_USER, UPDATE_USER, listing
from cloud.identity.models import User
from cloud.identity.selectors import people
from cloud.identity.services import users


def view(request: ApiRequest, user: User) -> View:
    """Render a user; never a password, not even its hash."""
    optional = {"default_project_id": user.default_project_id, "description": user.description, "email": user.email}
    return {
        "options": {},
        **user.extra,
        **{name: value for name, value in optional.items() if value},
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain_id,
        "enabled": user.enabled,
        "password_expires_at": None,
        "links": self_links(request, "users", user.id),
    }


@endpoint("identity:list_users", query=listing("name", "domain_id", "enabled", "default_project_id"))
def index(request: ApiRequest) -> View:
    """200: users by name, domain_id, enabled."""
    page = people.users(request.query)
    return collection(request, "users", (view(request, row) for row in page.rows), page.next_marker)


@endpoint("identity:create_user", status=201, body=CREATE_USER)
def create(request: ApiRequest) -> View:
    """201, or 409 where the name is taken."""
    return {"user": view(request, users.create_user(request.body["user"], home_domain(request.context)))}


@endpoint("identity:get_user")
def show(request: ApiRequest, user_id: str) -> View:
    """200 for oneself and for those who may list users."""
    need_self_or_reader(request.context, user_id, "identity:get_user")
    return {"user": view(request, people.user(user_id))}


@endpoint("identity:update_user", body=UPDATE_USER)
def update(request: ApiRequest, user_id: str) -> View:
    """200. A new password or `enabled: false` ends the user's tokens."""
    return {"user": view(request, users.update_user(user_id, request.body["user"]))}


@endpoint("identity:delete_user", status=204)
def delete(request: ApiRequest, user_id: str) -> None:
    """204."""
    users.delete_user(user_id)


@endpoint("", status=204, body=CHANGE_PASSWORD)
def change_password(request: ApiRequest, user_id: str) -> None:
    """204. The original password is the only credential needed; 401 whatever is wrong with it."""
    asked = request.body["user"]
    users.change_password(user_id, asked["original_password"], asked["password"])


@endpoint("identity:list_user_projects", query=listing("name", "domain_id", "enabled"))
def projects(request: ApiRequest, user_id: str) -> View:
    """200: the projects in which the user has a role."""
    need_self_or_reader(request.context, user_id, "identity:list_user_projects")
    page = people.projects_of(people.user(user_id).id, request.query)
    return collection(request, "projects", (project_view(request, row) for row in page.rows), page.next_marker)


@endpoint("identity:list_groups_for_user")
def groups(request: ApiRequest, user_id: str) -> View:
    """200: there are no groups here."""
    need_self_or_reader(request.context, user_id, "identity:list_groups_for_user")
    people.user(user_id)
    return collection(request, "groups", ())


@endpoint("identity:list_groups")
def all_groups(request: ApiRequest) -> View:
    """200: there are no groups here."""
    return collection(request, "groups", ())


ROUTES = [
    route("/v3/users", GET=index, POST=create),
    route("/v3/users/<str:user_id>", GET=show, HEAD=show, PATCH=update, DELETE=delete),
    route("/v3/users/<str:user_id>/password", POST=change_password),
    route("/v3/users/<str:user_id>/projects", GET=projects),
    route("/v3/users/<str:user_id>/groups", GET=groups),
    route("/v3/groups", GET=all_groups),
]
