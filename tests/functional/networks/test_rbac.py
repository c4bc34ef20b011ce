"""Sharing with single projects over HTTP."""

import pytest

from cloud.core.models import new_uuid
from cloud.networks.models import AddressScope, Port, QosPolicy, RbacPolicy, SubnetPool
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


def test_an_external_network_is_for_whom_it_is_given(api, make_network):
    network = make_network()
    assert share(api, network.id, "admin", action="access_as_external").status_code == 201
    assert api.get(f"{URL}/networks/{network.id}", token="stranger").status_code == 200
    assert api.post(f"{URL}/ports", {"port": {"network_id": network.id}}, token="stranger").status_code == 403
