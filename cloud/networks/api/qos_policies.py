"""QoS policies, and their bandwidth limits. What other rules Neutron knows is not here."""

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.networks.api import crud
from cloud.networks.api.collection import Body, Collection
from cloud.networks.api.schemas import BOOLEAN, NAMED, NUMBER, change, with_numbers
from cloud.networks.errors import QosPolicyNotFound, QosRuleNotFound, QosRuleTypeNotFound
from cloud.networks.models import BandwidthLimit
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, policy_rows
from cloud.networks.services import qos

_LIMIT = {
    "max_kbps": {**NUMBER, "minimum": 1}, "max_burst_kbps": NUMBER, "direction": {"enum": ["egress", "ingress"]},
}
UPDATE = change("bandwidth_limit_rule", _LIMIT)
CREATE = {**UPDATE, "properties": {
    "bandwidth_limit_rule": {**UPDATE["properties"]["bandwidth_limit_rule"], "required": ["max_kbps"]},
}}
_NUMBERS = ("max_kbps", "max_burst_kbps")
_SHOWN = ("id", *_NUMBERS, "direction")
# By type: what a rule of it can say, as Neutron words it.
_RULE_TYPES: dict[str, list[Body]] = {"bandwidth_limit": [
    {"parameter_name": "max_kbps", "parameter_type": "range", "parameter_values": {"start": 1, "end": 2**31 - 1}},
    {"parameter_name": "max_burst_kbps", "parameter_type": "range", "parameter_values": {"start": 0, "end": 2**31 - 1}},
    {"parameter_name": "direction", "parameter_type": "choices", "parameter_values": ["egress", "ingress"]},
]}


def view(row: Row) -> Body:
    """Return a policy's body."""
    rules = [{**{name: limit[name] for name in _SHOWN}, "type": "bandwidth_limit", "qos_policy_id": row["id"]}
             for limit in row["limits"]]
    return {**crud.standard(row), "shared": row["shared"], "is_default": row["is_default"], "rules": rules}


POLICIES = Collection(
    "policy", "policies", "qos/policies", visible.qos_policies, policy_rows, view,
    lambda one: QosPolicyNotFound(policy_id=one),
)


def _rule(limit: BandwidthLimit) -> Body:
    return {"bandwidth_limit_rule": {name: getattr(limit, name) for name in _SHOWN}}


def _asked(request: ApiRequest) -> Body:
    return with_numbers(request.body["bandwidth_limit_rule"], *_NUMBERS)


@endpoint("get_policy")
def index(request: ApiRequest, policy_id: str) -> Body:
    """List the bandwidth limits of a policy."""
    limits = qos.seen_limits(request.context, policy_id)
    return {"bandwidth_limit_rules": [_rule(one)["bandwidth_limit_rule"] for one in limits]}


@endpoint("get_policy")
def show(request: ApiRequest, policy_id: str, rule_id: str) -> Body:
    """Show a bandwidth limit."""
    for one in qos.seen_limits(request.context, policy_id):
        if one.id == rule_id:
            return _rule(one)
    raise QosRuleNotFound(rule_id=rule_id, policy_id=policy_id)


@endpoint("create_policy_bandwidth_limit_rule", status=201, body=CREATE)
def create(request: ApiRequest, policy_id: str) -> Body:
    """Give a policy a bandwidth limit."""
    return _rule(qos.create_limit(request.context, policy_id, _asked(request)))


@endpoint("update_policy_bandwidth_limit_rule", body=UPDATE)
def update(request: ApiRequest, policy_id: str, rule_id: str) -> Body:
    """Change a bandwidth limit."""
    return _rule(qos.update_limit(request.context, policy_id, rule_id, _asked(request)))


@endpoint("delete_policy_bandwidth_limit_rule", status=204)
def delete(request: ApiRequest, policy_id: str, rule_id: str) -> None:
    """Take a bandwidth limit from a policy."""
    qos.delete_limit(request.context, policy_id, rule_id)


@endpoint("get_rule_type")
def rule_types(request: ApiRequest) -> Body:
    """List the types of rules that hosts can carry out."""
    return {"rule_types": [{"type": name} for name in _RULE_TYPES]}


@endpoint("get_rule_type:details")
def rule_type(request: ApiRequest, name: str) -> Body:
    """Tell what a type of rule can say, and who carries it out."""
    if name not in _RULE_TYPES:
        raise QosRuleTypeNotFound(rule_type=name)
    driver = {"name": "linuxbridge", "supported_parameters": _RULE_TYPES[name]}
    return {"rule_type": {"type": name, "drivers": [driver]}}


_LIMITS = "/v2.0/qos/policies/<str:policy_id>/bandwidth_limit_rules"
ROUTES = [
    *crud.routes(crud.Resource(
        POLICIES,
        properties={**NAMED, "shared": BOOLEAN, "is_default": BOOLEAN},
        truths=("shared", "is_default"),
        make=qos.create_policies,
        update=qos.update_policy,
        delete=qos.delete_policy,
    )),
    route(_LIMITS, GET=index, POST=create),
    route(f"{_LIMITS}/<str:rule_id>", GET=show, PUT=update, DELETE=delete),
    route("/v2.0/qos/rule-types", GET=rule_types),
    route("/v2.0/qos/rule-types/<str:name>", GET=rule_type),
]
