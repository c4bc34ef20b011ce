"""Security groups, as Nova once passed them on from Neutron: up to 2.35; those of a server at every microversion.

Source: https://docs.openstack.org/api-ref/compute/#security-groups-os-security-groups-deprecated
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from cloud.compute.api.security_group_schemas import GROUP, RULE, ingress_rule
from cloud.compute.selectors import servers
from cloud.compute.selectors.server_filters import read_bool
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Conflict, Forbidden, Invalid
from cloud.core.formats import is_uuid
from cloud.networks.errors import OverQuota
from cloud.networks.selectors import proxied
from cloud.networks.services import rules, security_groups
from cloud.networks.services.default_group import default_group_id

_LAST = "2.35"
Body = dict[str, Any]


@contextmanager
def _in_novas_words() -> Iterator[None]:
    """Answer the network service's conflicts as Nova does: over quota is forbidden, all others are bad requests."""
    try:
        yield
    except OverQuota as error:
        raise Forbidden(error.message) from error
    except Conflict as error:
        raise Invalid(error.message) from error


def _check_id(text: str) -> str:
    if not is_uuid(text):
        raise Invalid("Security group id should be uuid")
    return text


def _views(rows: Sequence[Body]) -> list[Body]:
    incoming = {row["id"]: [rule for rule in row["rules"] if rule["direction"] == "ingress"] for row in rows}
    remote = {rule["remote_group_id"] for found in incoming.values() for rule in found if rule["remote_group_id"]}
    names = proxied.group_names(remote) if remote else {}
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "description": row["description"],
            "tenant_id": row["project_id"],
            "rules": [_rule(rule, names) for rule in incoming[row["id"]]],
        }
        for row in rows
    ]


def _rule(rule: Body, names: dict[str, tuple[str, str]]) -> Body:
    low, high = rule["port_range_min"], rule["port_range_max"]
    if rule["protocol"] and low is None and high is None:
        low, high = (1, 65535) if rule["protocol"] in ("tcp", "udp") else (-1, -1)
    body: Body = {
        "id": rule["id"],
        "parent_group_id": rule["group_id"],
        "ip_protocol": rule["protocol"],
        "from_port": low,
        "to_port": high,
        "group": {},
        "ip_range": {},
    }
    if rule["remote_group_id"] in names:
        name, project_id = names[rule["remote_group_id"]]
        body["group"] = {"name": name, "tenant_id": project_id}
    else:
        anywhere = "::/0" if rule["ethertype"] == "IPv6" else "0.0.0.0/0"
        body["ip_range"] = {"cidr": rule["remote_ip_prefix"] or anywhere}
    return body


@endpoint("os_compute_api:os-security-groups:get", until=_LAST)
def index(request: ApiRequest) -> Body:
    """List security groups."""
    context = request.context
    if context.project_id:
        default_group_id(context.project_id)
    asked = request.query.get("all_tenants")
    is_asked = asked is not None and read_bool("all_tenants", asked)
    rows = proxied.groups(context, is_everybodys=context.is_admin and is_asked)
    return {"security_groups": _views(rows)}


@endpoint("os_compute_api:os-security-groups:show", until=_LAST)
def show(request: ApiRequest, id: str) -> Body:
    """Show a security group."""
    return {"security_group": _views([proxied.group(request.context, _check_id(id))])[0]}


@endpoint("os_compute_api:os-security-groups:create", until=_LAST, body=GROUP)
def create(request: ApiRequest) -> Body:
    """Make a security group."""
    asked = request.body["security_group"]
    if not request.context.project_id:
        raise Invalid("A security group belongs to a project, and the token is for none.")
    draft = {"name": asked["name"], "description": asked["description"],
             "project_id": request.context.project_id}
    with _in_novas_words():
        (group_id,) = security_groups.create_groups([draft])
    return {"security_group": _views([proxied.group(request.context, group_id)])[0]}


@endpoint("os_compute_api:os-security-groups:update", until=_LAST, body=GROUP)
def update(request: ApiRequest, id: str) -> Body:
    """Change the name and the description of a security group."""
    asked = request.body["security_group"]
    with _in_novas_words():
        security_groups.update_group(
            request.context, _check_id(id), {name: asked[name] for name in ("name", "description")}
        )
    return {"security_group": _views([proxied.group(request.context, id)])[0]}


@endpoint("os_compute_api:os-security-groups:delete", until=_LAST, status=202)
def delete(request: ApiRequest, id: str) -> None:
    """Remove a security group."""
    with _in_novas_words():
        security_groups.delete_group(request.context, _check_id(id))


@endpoint("os_compute_api:os-security-groups:rule:create", until=_LAST, body=RULE)
def create_rule(request: ApiRequest) -> Body:
    """Make a rule for what comes in."""
    asked = request.body["security_group_rule"]
    for group_id in filter(None, (asked["parent_group_id"], asked.get("group_id"))):
        _check_id(group_id)
    with _in_novas_words():
        (rule_id,) = rules.create_rules(request.context, [ingress_rule(asked)])
    (view,) = [one for group in _views([proxied.group(request.context, asked["parent_group_id"])])
               for one in group["rules"] if one["id"] == rule_id]
    return {"security_group_rule": view}


@endpoint("os_compute_api:os-security-groups:rule:delete", until=_LAST, status=202)
def delete_rule(request: ApiRequest, id: str) -> None:
    """Remove a rule."""
    if not is_uuid(id):
        raise Invalid("Security group rule id should be uuid")
    rules.delete_rule(request.context, id)


@endpoint("os_compute_api:os-security-groups:list")
def of_server(request: ApiRequest, server_id: str) -> Body:
    """List the security groups of a server."""
    instance = servers.get(request.context, server_id)
    return {"security_groups": _views(proxied.groups_of_server(instance.uuid))}


ROUTES = [
    route("/os-security-groups", GET=index, POST=create),
    route("/os-security-groups/<str:id>", GET=show, PUT=update, DELETE=delete),
    route("/os-security-group-rules", POST=create_rule),
    route("/os-security-group-rules/<str:id>", DELETE=delete_rule),
    route("/servers/<str:server_id>/os-security-groups", GET=of_server),
]
