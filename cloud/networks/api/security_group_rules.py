"""Security group rules. GET 200, POST 201, DELETE 204."""

import ipaddress

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.times import seconds_z
from cloud.networks.api.collection import Body, Collection, drafts, listed, made, shown
from cloud.networks.api.schemas import ADDRESS, NAME, SIGNED_NUMBER, creation, with_numbers
from cloud.networks.errors import RuleNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, rule_rows
from cloud.networks.services import rules

_PORTS = ("port_range_min", "port_range_max")
_PORT = {"anyOf": [SIGNED_NUMBER, {"type": "null"}]}
_PREFIX = {"anyOf": [ADDRESS, {"type": "string", "maxLength": 64, "format": "cidr"}, {"type": "null"}]}
CREATE = creation(
    "security_group_rule",
    "security_group_rules",
    {
        "security_group_id": NAME,
        "direction": {"enum": ["ingress", "egress"]},
        "ethertype": {"enum": ["IPv4", "IPv6", None]},
        "protocol": {"type": ["string", "integer", "null"], "maxLength": 40, "format": "printable"},
        **dict.fromkeys(_PORTS, _PORT),
        "remote_ip_prefix": _PREFIX,
        "remote_group_id": {"anyOf": [NAME, {"type": "null"}]},
        "description": NAME,
    },
    ["security_group_id", "direction"],
)


def view(row: Row) -> Body:
    """Return a rule's body."""
    prefix = row["remote_ip_prefix"]
    return {
        "id": row["id"],
        "security_group_id": row["group_id"],
        "project_id": row["project_id"],
        "tenant_id": row["project_id"],
        "direction": row["direction"],
        "ethertype": row["ethertype"],
        "protocol": row["protocol"],
        "port_range_min": row["port_range_min"],
        "port_range_max": row["port_range_max"],
        "remote_ip_prefix": prefix,
        "normalized_cidr": str(ipaddress.ip_network(prefix, strict=False)) if prefix else None,
        "remote_group_id": row["remote_group_id"],
        "belongs_to_default_sg": row["group__is_default"],
        "description": row["description"],
        "revision_number": row["revision_number"],
        "created_at": seconds_z(row["created_at"]),
        "updated_at": seconds_z(row["updated_at"]),
    }


RULES = Collection(
    "security_group_rule", "security_group_rules", "security-group-rules", visible.rules, rule_rows, view,
    lambda one: RuleNotFound(rule_id=one),
)


@endpoint("get_security_group_rule")
def index(request: ApiRequest) -> Body:
    """List rules."""
    return listed(request, RULES)


@endpoint("get_security_group_rule")
def show(request: ApiRequest, rule_id: str) -> Body:
    """Show a rule."""
    return shown(request, RULES, rule_id)


@endpoint("create_security_group_rule", status=201, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Make rules."""
    wanted = [with_numbers(item, *_PORTS) for item in drafts(request, RULES)]
    return made(request, RULES, rules.create_rules(request.context, wanted))


@endpoint("delete_security_group_rule", status=204)
def delete(request: ApiRequest, rule_id: str) -> None:
    """Remove a rule."""
    rules.delete_rule(request.context, rule_id)


ROUTES = [
    route("/v2.0/security-group-rules", GET=index, POST=create),
    route("/v2.0/security-group-rules/<str:rule_id>", GET=show, DELETE=delete),
]
