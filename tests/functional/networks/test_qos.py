"""QoS policies over HTTP."""

import pytest

from cloud.core.models import new_uuid
from cloud.networks.models import BandwidthLimit, QosPolicy

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"
POLICIES = f"{URL}/qos/policies"


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def make_policy(api, **attributes: object) -> dict:
    answer = api.post(POLICIES, {"policy": attributes}, token="admin")
    assert answer.status_code == 201, answer.content
    return answer.json()["policy"]


def limit(api, policy: dict, token: str = "admin", **attributes: object):
    body = {"bandwidth_limit_rule": {"max_kbps": 1000, **attributes}}
    return api.post(f"{POLICIES}/{policy['id']}/bandwidth_limit_rules", body, token=token)


def test_a_policy_has_a_limit_for_each_direction(api):
    policy = make_policy(api, name="slow", shared=True)
    rule = limit(api, policy, max_kbps="500", direction="ingress").json()["bandwidth_limit_rule"]
    assert rule == {"id": rule["id"], "max_kbps": 500, "max_burst_kbps": 0, "direction": "ingress"}
    assert limit(api, policy).status_code == 201
    assert kind(limit(api, policy)) == (409, "QosRulesConflict")
    seen = api.get(f"{POLICIES}/{policy['id']}", token="stranger").json()["policy"]
    assert [(one["direction"], one["max_kbps"]) for one in seen["rules"]] == [("egress", 1000), ("ingress", 500)]
    url = f"{POLICIES}/{policy['id']}/bandwidth_limit_rules"
    changed = api.put(f"{url}/{rule['id']}", {"bandwidth_limit_rule": {"max_burst_kbps": 9}}, token="admin")
    assert changed.json()["bandwidth_limit_rule"] == {**rule, "max_burst_kbps": 9}
    turned = api.put(f"{url}/{rule['id']}", {"bandwidth_limit_rule": {"direction": "egress"}}, token="admin")
    assert kind(turned) == (409, "QosRulesConflict")
    assert len(api.get(url).json()["bandwidth_limit_rules"]) == 2
    assert api.get(f"{url}/{rule['id']}").json()["bandwidth_limit_rule"]["max_burst_kbps"] == 9
    assert api.delete(f"{url}/{rule['id']}", token="admin").status_code == 204
    assert kind(api.get(f"{url}/{rule['id']}")) == (404, "QosRuleNotFound")
    assert api.get(f"{URL}/qos/rule-types").json() == {"rule_types": [{"type": "bandwidth_limit"}]}


def test_an_admin_is_told_what_a_type_of_rule_can_say(api):
    answer = api.get(f"{URL}/qos/rule-types/bandwidth_limit", token="admin").json()["rule_type"]
    (driver,) = answer["drivers"]
    assert (answer["type"], driver["name"]) == ("bandwidth_limit", "linuxbridge")
    assert {one["parameter_name"]: one["parameter_values"] for one in driver["supported_parameters"]} == {
        "max_kbps": {"start": 1, "end": 2**31 - 1}, "max_burst_kbps": {"start": 0, "end": 2**31 - 1},
        "direction": ["egress", "ingress"]}
    assert kind(api.get(f"{URL}/qos/rule-types/dscp_marking", token="admin")) == (404, "QosRuleTypeNotFound")
    assert api.get(f"{URL}/qos/rule-types/bandwidth_limit").status_code == 403


@pytest.mark.parametrize("attributes", [
    {"max_kbps": 0}, {"max_kbps": -1}, {"max_kbps": "x"}, {"max_burst_kbps": 2**31}, {"direction": "up"},
    {"dscp_mark": 8},
])
def test_what_is_no_limit(api, attributes):
    assert kind(limit(api, make_policy(api), **attributes)) == (400, "HTTPBadRequest")
    assert not BandwidthLimit.objects.exists()


def test_policies_are_an_admins(api):
    policy = make_policy(api)
    assert api.post(POLICIES, {"policy": {}}).status_code == 403
    assert limit(api, policy, "member").status_code == 403
    assert api.get(f"{POLICIES}/{policy['id']}", token="stranger").status_code == 404
    assert api.get(f"{POLICIES}/{policy['id']}").status_code == 200


def test_networks_and_ports_have_one(api, make_network):
    policy, network = make_policy(api), make_network()
    assert api.put(f"{URL}/networks/{network.id}", {"network": {"qos_policy_id": policy["id"]}}).status_code == 200
    made = api.post(f"{URL}/ports", {"port": {"network_id": network.id, "qos_policy_id": policy["id"]}})
    assert made.json()["port"]["qos_policy_id"] == policy["id"]
    found = api.get(f"{URL}/ports?qos_policy_id={policy['id']}").json()["ports"]
    assert [one["id"] for one in found] == [made.json()["port"]["id"]]
    assert kind(api.delete(f"{POLICIES}/{policy['id']}", token="admin")) == (409, "QosPolicyInUse")
    for path, body in ((f"ports/{found[0]['id']}", "port"), (f"networks/{network.id}", "network")):
        unknown = api.put(f"{URL}/{path}", {body: {"qos_policy_id": new_uuid()}})
        assert kind(unknown) == (404, "QosPolicyNotFound")
        assert api.put(f"{URL}/{path}", {body: {"qos_policy_id": None}}).status_code == 200
    assert api.delete(f"{POLICIES}/{policy['id']}", token="admin").status_code == 204
    assert not QosPolicy.objects.exists()


def test_a_projects_default_is_that_of_its_new_networks(api):
    policy = make_policy(api, is_default=True)
    again = api.post(POLICIES, {"policy": {"is_default": True}}, token="admin")
    assert kind(again) == (409, "QoSPolicyDefaultAlreadyExists")
    made = api.post(f"{URL}/networks", {"network": {}}).json()["network"]
    assert made["qos_policy_id"] == policy["id"]
    assert api.post(f"{URL}/networks", {"network": {}}, token="stranger").json()["network"]["qos_policy_id"] is None
