"""Sharing with single projects over HTTP."""

import pytest

from cloud.core.errors import CloudError
from cloud.core.models import new_uuid
from cloud.networks.errors import SecurityGroupAmbiguous, SecurityGroupUnknown
from cloud.networks.models import AddressScope, Port, QosPolicy, RbacPolicy, SecurityGroup, SubnetPool
from cloud.networks.services import requests
from cloud.networks.services.plugging import make_port
from cloud.networks.services.quotas import set_limits

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def share(api, network_id: str, token: str = "member", **attributes: object):
    body = {"object_type": "network", "object_id": network_id, "action": "access_as_shared", "target_tenant": "p2"}
    return api.post(f"{URL}/rbac-policies", {"rbac_policy": {**body, **attributes}}, token=token)


def test_a_network_is_used_by_whom_it_is_shared_with(api, make_network):
    network = make_network()
    port = {"port": {"network_id": network.id}}
    assert api.post(f"{URL}/ports", port, token="stranger").status_code == 404
    policy = share(api, network.id).json()["rbac_policy"]
    assert (policy["target_tenant"], policy["project_id"], policy["action"]) == ("p2", "p1", "access_as_shared")
    seen = api.get(f"{URL}/networks/{network.id}", token="stranger").json()["network"]
    assert (seen["id"], seen["shared"], len(seen["subnets"])) == (network.id, True, 1)
    assert api.get(f"{URL}/networks/{network.id}").json()["network"]["shared"] is False
    assert api.get(f"{URL}/subnets/{seen['subnets'][0]}", token="stranger").status_code == 200
    made = api.post(f"{URL}/ports", port, token="stranger")
    assert made.status_code == 201
    url = f"{URL}/rbac-policies/{policy['id']}"
    assert kind(api.delete(url)) == (409, "RbacPolicyInUse")
    assert kind(api.put(url, {"rbac_policy": {"target_tenant": "p3"}})) == (409, "RbacPolicyInUse")
    assert api.delete(url, token="stranger").status_code == 404
    assert api.delete(f"{URL}/ports/{made.json()['port']['id']}", token="stranger").status_code == 204
    assert api.delete(url).status_code == 204
    assert api.get(f"{URL}/networks/{network.id}", token="stranger").status_code == 404


def test_another_right_to_the_same_is_enough(api, make_network):
    network = make_network()
    one, everybody = share(api, network.id), share(api, network.id, "admin", target_tenant="*")
    make_port(Port(network=network, project_id="p2"), None, ())
    url = f"{URL}/rbac-policies"
    assert api.delete(f"{url}/{one.json()['rbac_policy']['id']}").status_code == 204
    last = api.delete(f"{url}/{everybody.json()['rbac_policy']['id']}", token="admin")
    assert kind(last) == (409, "RbacPolicyInUse")


@pytest.mark.parametrize(("attributes", "error"), [
    ({"object_id": new_uuid()}, (404, "NetworkNotFound")),
    ({"object_type": "subnetpool"}, (404, "SubnetPoolNotFound")),
    ({"object_type": "security_group"}, (404, "SecurityGroupNotFound")),
    ({"object_type": "security_group", "action": "access_as_external"}, (400, "HTTPBadRequest")),
    ({"object_type": "subnetpool", "action": "access_as_external"}, (400, "HTTPBadRequest")),
    ({"object_type": "port"}, (400, "HTTPBadRequest")),
    ({"action": "own"}, (400, "HTTPBadRequest")),
    ({"action": "access_as_external"}, (403, "PolicyNotAuthorized")),
    ({"target_tenant": "*"}, (403, "PolicyNotAuthorized")),
    ({"target_tenant": ""}, (400, "HTTPBadRequest")),
    ({"target_tenant": "a\nb"}, (400, "HTTPBadRequest")),
])
def test_what_cannot_be_shared(api, make_network, attributes, error):
    assert kind(share(api, make_network().id, **attributes)) == error
    assert not RbacPolicy.objects.exists()


def test_only_ones_own_is_shared_once_and_within_the_quota(api, make_network):
    network = make_network()
    assert kind(share(api, network.id, "stranger")) == (404, "NetworkNotFound")
    assert share(api, network.id).status_code == 201
    assert kind(share(api, network.id)) == (409, "DuplicateRbacPolicy")
    set_limits("p1", {"rbac_policy": 1})
    assert kind(share(api, network.id, target_tenant="p3")) == (409, "OverQuota")
    assert api.delete(f"{URL}/networks/{network.id}").status_code == 204
    assert not RbacPolicy.objects.exists()


@pytest.mark.parametrize(("object_type", "path", "make"), [
    ("subnetpool", "subnetpools", lambda: SubnetPool.objects.create(
        project_id="p1", ip_version=4, prefixes=["10.0.0.0/8"], min_prefixlen=8, default_prefixlen=8,
        max_prefixlen=32)),
    ("address_scope", "address-scopes", lambda: AddressScope.objects.create(project_id="p1", ip_version=4)),
    ("qos_policy", "qos/policies", lambda: QosPolicy.objects.create(project_id="p1")),
])
def test_other_kinds_are_shared_too(api, object_type, path, make):
    row = make()
    url = f"{URL}/{path}/{row.id}"
    assert api.get(url, token="stranger").status_code == 404
    assert share(api, row.id, object_type=object_type).status_code == 201
    assert api.get(url, token="stranger").status_code == 200
    assert api.delete(url, token="admin").status_code == 204
    assert not RbacPolicy.objects.exists()


@pytest.fixture
def group(api) -> dict:
    made = api.post(f"{URL}/security-groups", {"security_group": {"name": "web"}}).json()["security_group"]
    rule = {"security_group_id": made["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 80,
            "port_range_max": 80}
    assert api.post(f"{URL}/security-group-rules", {"security_group_rule": rule}).status_code == 201
    return made


def share_group(api, group: dict, **attributes: object) -> str:
    answer = share(api, group["id"], object_type="security_group", **attributes)
    assert answer.status_code == 201, answer.content
    return f"{URL}/rbac-policies/{answer.json()['rbac_policy']['id']}"


def test_a_security_group_is_used_by_whom_it_is_shared_with(api, make_network, group):
    url, network = f"{URL}/security-groups/{group['id']}", make_network(project_id="p2")
    port = {"port": {"network_id": network.id, "security_groups": [group["id"]]}}
    assert api.get(url, token="stranger").status_code == 404
    assert api.post(f"{URL}/ports", port, token="stranger").status_code == 404
    policy = share_group(api, group)
    seen = api.get(url, token="stranger").json()["security_group"]
    assert (seen["shared"], len(seen["security_group_rules"])) == (True, 3)
    assert api.get(url).json()["security_group"]["shared"] is False
    for shared, names in (("true", ["web"]), ("false", ["default"])):
        listed = api.get(f"{URL}/security-groups?shared={shared}", token="stranger").json()["security_groups"]
        assert [one["name"] for one in listed] == names
    rules = api.get(f"{URL}/security-group-rules?security_group_id={group['id']}", token="stranger").json()
    assert len(rules["security_group_rules"]) == 3
    made = api.post(f"{URL}/ports", port, token="stranger").json()["port"]
    assert made["security_groups"] == [group["id"]]
    assert kind(api.delete(policy)) == (409, "RbacPolicyInUse")
    assert kind(api.delete(url)) == (409, "SecurityGroupInUse")
    free = {"port": {"security_groups": []}}
    assert api.put(f"{URL}/ports/{made['id']}", free, token="stranger").status_code == 200
    assert api.delete(policy).status_code == 204
    assert api.put(f"{URL}/ports/{made['id']}", {"port": {"security_groups": [group["id"]]}},
                   token="stranger").status_code == 404


def test_a_shared_group_may_be_meant_by_rules_of_others(api, group):
    policy = share_group(api, group)
    theirs = api.post(f"{URL}/security-groups", {"security_group": {"name": "app"}}, token="stranger").json()[
        "security_group"]["id"]
    rule = {"security_group_id": theirs, "direction": "ingress", "remote_group_id": group["id"]}
    made = api.post(f"{URL}/security-group-rules", {"security_group_rule": rule}, token="stranger")
    assert made.status_code == 201
    assert kind(api.delete(policy)) == (409, "RbacPolicyInUse")
    rule_id = made.json()["security_group_rule"]["id"]
    assert api.delete(f"{URL}/security-group-rules/{rule_id}", token="stranger").status_code == 204
    assert api.delete(policy).status_code == 204
    assert api.post(f"{URL}/security-group-rules", {"security_group_rule": rule}, token="stranger").status_code == 404


def test_a_shared_group_stays_its_owners(api, group):
    share_group(api, group)
    url = f"{URL}/security-groups/{group['id']}"
    rule = api.get(url).json()["security_group"]["security_group_rules"][0]["id"]
    more = {"security_group_id": group["id"], "direction": "ingress"}
    for answer in (
        api.put(url, {"security_group": {"name": "mine"}}, token="stranger"), api.delete(url, token="stranger"),
        api.post(f"{URL}/security-group-rules", {"security_group_rule": more}, token="stranger"),
        api.delete(f"{URL}/security-group-rules/{rule}", token="stranger"),
        api.put(f"{url}/tags/mine", {}, token="stranger"),
    ):  # fmt: skip
        assert answer.status_code == 404
    shown = api.get(url).json()["security_group"]
    assert (shown["name"], len(shown["security_group_rules"]), shown["tags"]) == ("web", 3, [])
    assert api.delete(url).status_code == 204
    assert not RbacPolicy.objects.exists()


def test_a_server_may_ask_for_a_shared_group_and_means_its_own_of_two(api, group):
    assert kind_of(lambda: requests.group_named("p2", "web")) is SecurityGroupUnknown
    share_group(api, group, token="admin", target_tenant="*")
    assert requests.group_named("p2", "web") == requests.group_named("p2", group["id"]) == group["id"]
    own = SecurityGroup.objects.create(project_id="p2", name="web").id
    assert requests.group_named("p2", "web") == own
    others = SecurityGroup.objects.create(project_id="p3", name="web")
    RbacPolicy.objects.create(project_id="p3", object_type="security_group", object_id=others.id,
                              action=RbacPolicy.SHARED, target_project="*")
    assert kind_of(lambda: requests.group_named("p4", "web")) is SecurityGroupAmbiguous


def kind_of(call) -> type[CloudError]:
    with pytest.raises(CloudError) as refused:
        call()
    return refused.type


def test_an_external_network_is_for_whom_it_is_given(api, make_network):
    network = make_network()
    assert share(api, network.id, "admin", action="access_as_external").status_code == 201
    assert api.get(f"{URL}/networks/{network.id}", token="stranger").status_code == 200
    assert api.post(f"{URL}/ports", {"port": {"network_id": network.id}}, token="stranger").status_code == 403
