"""Security groups and their rules over HTTP."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.core.models import new_uuid
from cloud.networks.models import Port, SecurityGroup, SecurityGroupRule
from cloud.networks.services.plugging import make_port

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/security-groups"
RULES = "/network/v2.0/security-group-rules"


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


@pytest.fixture
def group(api) -> dict:
    return api.post(URL, {"security_group": {"name": "web", "description": "d"}}).json()["security_group"]


def test_looking_makes_the_default_group(api):
    (default,) = api.get(URL).json()["security_groups"]
    assert (default["name"], default["project_id"], len(default["security_group_rules"])) == ("default", "p1", 4)
    assert api.get(URL).json()["security_groups"] == [default]
    # An admin who looks for another's group makes none there.
    assert api.get(f"{URL}?tenant_id=p2&name=default", token="admin").json() == {"security_groups": []}


def test_a_new_group_lets_everything_out(api, group):
    rules = {(rule["direction"], rule["ethertype"], rule["protocol"]) for rule in group["security_group_rules"]}
    assert rules == {("egress", "IPv4", None), ("egress", "IPv6", None)}
    assert (group["name"], group["description"], group["stateful"]) == ("web", "d", True)
    changed = api.put(f"{URL}/{group['id']}", {"security_group": {"name": "w", "stateful": False}})
    assert (changed.json()["security_group"]["name"], changed.json()["security_group"]["stateful"]) == ("w", False)
    assert api.delete(f"{URL}/{group['id']}").status_code == 204
    assert kind(api.get(f"{URL}/{group['id']}")) == (404, "SecurityGroupNotFound")
    assert not SecurityGroupRule.objects.filter(group_id=group["id"]).exists()


def test_the_default_group_keeps_its_name_and_stays(api, group):
    default = SecurityGroup.objects.get(is_default=True)
    assert kind(api.post(URL, {"security_group": {"name": "default"}})) == (409, "SecurityGroupDefaultAlreadyExists")
    assert kind(api.put(f"{URL}/{default.id}", {"security_group": {"name": "x"}})) == (
        409, "SecurityGroupCannotUpdateDefault")
    assert kind(api.put(f"{URL}/{group['id']}", {"security_group": {"name": "default"}}))[0] == 409
    assert api.put(f"{URL}/{default.id}", {"security_group": {"description": "x"}}).status_code == 200
    assert kind(api.delete(f"{URL}/{default.id}")) == (409, "SecurityGroupCannotRemoveDefault")
    assert api.delete(f"{URL}/{default.id}", token="admin").status_code == 204


def test_a_group_with_ports_stays(api, group, make_network):
    make_port(Port(network=make_network(), project_id="p1"), None, [group["id"]])
    assert kind(api.delete(f"{URL}/{group['id']}")) == (409, "SecurityGroupInUse")
    assert kind(api.put(f"{URL}/{group['id']}", {"security_group": {"stateful": False}})) == (409, "SecurityGroupInUse")


def test_a_rule_is_made_shown_and_removed(api, group):
    body = {"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 22,
            "port_range_max": 22, "remote_ip_prefix": "10.0.0.7/8"}
    answer = api.post(RULES, {"security_group_rule": body})
    assert answer.status_code == 201
    rule = answer.json()["security_group_rule"]
    assert {name: rule[name] for name in body} == body
    assert rule["normalized_cidr"] == "10.0.0.0/8"
    assert (rule["ethertype"], rule["tenant_id"], rule["belongs_to_default_sg"]) == ("IPv4", "p1", False)
    assert api.get(f"{RULES}/{rule['id']}").json() == {"security_group_rule": rule}
    assert api.get(f"{RULES}?protocol=tcp&direction=ingress").json() == {"security_group_rules": [rule]}
    shown = api.get(f"{URL}/{group['id']}").json()["security_group"]
    assert rule in shown["security_group_rules"]
    assert shown["revision_number"] == group["revision_number"] + 1
    twin = api.post(RULES, {"security_group_rule": body})
    assert kind(twin) == (409, "SecurityGroupRuleExists")
    assert rule["id"] in twin.json()["NeutronError"]["message"]
    assert api.delete(f"{RULES}/{rule['id']}").status_code == 204
    assert kind(api.delete(f"{RULES}/{rule['id']}")) == (404, "SecurityGroupRuleNotFound")


@pytest.mark.parametrize(("attributes", "error"), [
    ({"direction": "sideways"}, "HTTPBadRequest"),
    ({"ethertype": "IPv5"}, "HTTPBadRequest"),
    ({"protocol": "nonsense"}, "SecurityGroupRuleInvalidProtocol"),
    ({"protocol": 300}, "SecurityGroupRuleInvalidProtocol"),
    ({"port_range_min": 1, "port_range_max": 2}, "SecurityGroupProtocolRequiredWithPorts"),
    ({"protocol": "tcp", "port_range_min": 5, "port_range_max": 4}, "SecurityGroupInvalidPortRange"),
    ({"protocol": "tcp", "port_range_min": 5}, "SecurityGroupInvalidPortRange"),
    ({"protocol": "udp", "port_range_min": 1, "port_range_max": 65536}, "SecurityGroupInvalidPortValue"),
    ({"protocol": "tcp", "port_range_min": -16384, "port_range_max": 1}, "SecurityGroupInvalidPortValue"),
    ({"protocol": "icmp", "port_range_min": 256}, "SecurityGroupInvalidIcmpValue"),
    ({"protocol": "icmp", "port_range_max": 1}, "SecurityGroupMissingIcmpType"),
    ({"protocol": "gre", "port_range_min": 1, "port_range_max": 1}, "SecurityGroupInvalidProtocolForPort"),
    ({"protocol": "icmpv6"}, "SecurityGroupEthertypeConflictWithProtocol"),
    ({"remote_ip_prefix": "::/0"}, "SecurityGroupRuleParameterConflict"),
    ({"remote_ip_prefix": "bad_prefix"}, "HTTPBadRequest"),
])
def test_a_rule_that_makes_no_sense_is_refused(api, group, attributes, error):
    body = {"security_group_id": group["id"], "direction": "ingress", **attributes}
    assert kind(api.post(RULES, {"security_group_rule": body})) == (400, error)


def test_a_rule_has_one_remote(api, group):
    body = {"security_group_id": group["id"], "direction": "ingress", "remote_group_id": group["id"],
            "remote_ip_prefix": "10.0.0.0/8"}
    assert kind(api.post(RULES, {"security_group_rule": body})) == (400, "SecurityGroupRemoteGroupAndRemoteIpPrefix")
    del body["remote_ip_prefix"]
    rule = api.post(RULES, {"security_group_rule": body}).json()["security_group_rule"]
    assert rule["remote_group_id"] == group["id"]


def test_foreign_groups_are_not_found(api, group):
    foreign = SecurityGroup.objects.create(project_id="p2", name="g")
    rule = SecurityGroupRule.objects.create(group=foreign, project_id="p2", direction="ingress")
    for group_id in (foreign.id, new_uuid()):
        body = {"security_group_id": group_id, "direction": "ingress"}
        assert kind(api.post(RULES, {"security_group_rule": body})) == (404, "SecurityGroupNotFound")
        body = {"security_group_id": group["id"], "direction": "ingress", "remote_group_id": group_id}
        assert kind(api.post(RULES, {"security_group_rule": body})) == (404, "SecurityGroupNotFound")
        assert api.put(f"{URL}/{group_id}", {"security_group": {"name": "x"}}).status_code == 404
    assert api.get(f"{RULES}/{rule.id}").status_code == 404
    assert api.delete(f"{RULES}/{rule.id}").status_code == 404
    assert SecurityGroupRule.objects.filter(id=rule.id).exists()


def test_quotas_of_groups_and_rules(api, group):
    api.put("/network/v2.0/quotas/p1", {"quota": {"security_group": 2, "security_group_rule": 6}}, token="admin")
    assert kind(api.post(URL, {"security_group": {"name": "x"}})) == (409, "OverQuota")
    body = {"security_group_id": group["id"], "direction": "ingress"}
    assert kind(api.post(RULES, {"security_group_rule": body})) == (409, "OverQuota")


def test_a_list_costs_the_same_for_any_number(api):
    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get(url).status_code == 200
        return len(queries)

    api.get(URL)
    before = cost(URL), cost(RULES)
    for number in range(5):
        api.post(URL, {"security_group": {"name": f"g{number}"}})
    assert (cost(URL), cost(RULES)) == before
