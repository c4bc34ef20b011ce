"""Security groups. GET 200, POST 201, PUT 200, DELETE 204."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import seconds_z
from cloud.networks.api import security_group_rules
from cloud.networks.api.collection import Body, Collection, changes, drafts, listed, made, shown
from cloud.networks.api.schemas import BOOLEAN, NAMED, change, creation, with_truths
from cloud.networks.errors import GroupNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, group_rows
from cloud.networks.services import security_groups
from cloud.networks.services.default_group import default_group_id

_PROPERTIES = {**NAMED, "stateful": BOOLEAN}
CREATE = creation("security_group", "security_groups", _PROPERTIES)
UPDATE = change("security_group", _PROPERTIES)


def view(row: Row) -> Body:
    """Return a group's body."""
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "project_id": row["project_id"],
        "stateful": row["stateful"],
        "shared": row["is_granted"],
        "security_group_rules": [security_group_rules.view(rule) for rule in row["rules"]],
        "tags": row["tags"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


GROUPS = Collection(
    "security_group", "security_groups", "security-groups",
    lambda context: visible.with_grants(context, visible.security_groups(context), "security_group"), group_rows, view,
    lambda one: GroupNotFound(group_id=one),
)


@endpoint("get_security_group")
def index(request: ApiRequest) -> Body:
    """List groups. Whoever looks at a project's groups for the first time finds its default group there."""
    if request.context.project_id:
        default_group_id(request.context.project_id)
    return listed(request, GROUPS)


@endpoint("get_security_group")
def show(request: ApiRequest, group_id: str) -> Body:
    """Show a group."""
    return shown(request, GROUPS, group_id)


@endpoint("create_security_group", status=201, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Make groups."""
    wanted = [with_truths(item, "stateful") for item in drafts(request, GROUPS)]
    return made(request, GROUPS, security_groups.create_groups(wanted))


@endpoint("update_security_group", body=UPDATE)
def update(request: ApiRequest, group_id: str) -> Body:
    """Change a group."""
    security_groups.update_group(request.context, group_id, with_truths(changes(request, GROUPS), "stateful"))
    return shown(request, GROUPS, group_id)


@endpoint("delete_security_group", status=204)
def delete(request: ApiRequest, group_id: str) -> None:
    """Remove a group, unless a port is in it."""
    security_groups.delete_group(request.context, group_id)


ROUTES = [
    route("/v2.0/security-groups", GET=index, POST=create),
    route("/v2.0/security-groups/<str:group_id>", GET=show, PUT=update, DELETE=delete),
]
