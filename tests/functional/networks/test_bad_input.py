"""What cannot be: Neutron's status and a clear sentence, and nothing is changed."""

from typing import Any

import pytest
from django.apps import apps

from cloud.core.models import new_uuid
from cloud.networks.models import Port
from cloud.networks.services.plugging import make_port

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"
NAMED = ("networks", "subnets", "ports", "routers", "security-groups", "subnetpools", "qos/policies")
SINGULAR = {"security-groups": "security_group", "qos/policies": "policy"}
RULE = {"security_group_id": "{group}", "direction": "ingress", "protocol": "tcp"}
SUBNET = {"network_id": "{network}", "ip_version": 4, "cidr": "10.1.0.0/24"}
PORT = {"network_id": "{network}"}

# (method, path, body, status, Neutron's name of the mistake)
CASES: list[tuple[str, str, dict[str, Any] | None, int, str]] = [
    ("post", "subnets", {"subnet": {**SUBNET, "cidr": "10.0.0.128/25"}}, 400, "InvalidInput"),
    ("post", "subnets", {"subnet": {**SUBNET, "cidr": "10.0.0.0/8"}}, 400, "InvalidInput"),
    ("post", "subnets", {"subnet": {**SUBNET, "gateway_ip": "10.2.0.1"}}, 400, "InvalidInput"),
    ("post", "subnets", {"subnet": {**SUBNET, "gateway_ip": "10.1.0.255"}}, 400, "InvalidInput"),
    ("post", "subnets", {"subnet": {**SUBNET, "gateway_ip": "2001:db8::1"}}, 400, "InvalidInput"),
    ("post", "subnets", {"subnet": {**SUBNET, "allocation_pools": [{"start": "10.1.0.9", "end": "10.1.1.9"}]}},
     400, "OutOfBoundsAllocationPool"),
    ("put", "subnets/{subnet}", {"subnet": {"allocation_pools": [{"start": "10.9.0.1", "end": "10.9.0.2"}]}},
     400, "OutOfBoundsAllocationPool"),
    ("put", "subnets/{subnet}", {"subnet": {"gateway_ip": "10.9.0.1"}}, 400, "InvalidInput"),
    ("put", "subnets/{subnet}", {"subnet": {"gateway_ip": "{taken}"}}, 409, "GatewayIpInUse"),
    ("put", "subnets/{subnet}", {"subnet": {"cidr": "10.3.0.0/24"}}, 400, "HTTPBadRequest"),
    ("post", "subnets", {"subnet": {**SUBNET, "network_id": "{foreign}"}}, 404, "NetworkNotFound"),
    ("post", "subnets", {"subnets": [SUBNET, SUBNET]}, 400, "InvalidInput"),
    ("post", "security-group-rules", {"security_group_rule": {**RULE, "port_range_min": 90, "port_range_max": 80}},
     400, "SecurityGroupInvalidPortRange"),
    ("post", "security-group-rules", {"security_group_rule": {**RULE, "port_range_min": 1, "port_range_max": 65536}},
     400, "SecurityGroupInvalidPortValue"),
    ("post", "security-group-rules", {"security_group_rule": {**RULE, "port_range_min": "22\n"}},
     400, "HTTPBadRequest"),
    ("post", "security-group-rules", {"security_group_rule": {**RULE, "remote_ip_prefix": "2001:db8::/32"}},
     400, "SecurityGroupRuleParameterConflict"),
    ("post", "security-group-rules", {"security_group_rule": {**RULE, "remote_ip_prefix": "10.0.0.0/33"}},
     400, "HTTPBadRequest"),
    ("post", "security-group-rules", {"security_group_rule": {**RULE, "security_group_id": "{foreign_group}"}},
     404, "SecurityGroupNotFound"),
    ("post", "security-group-rules", {"security_group_rule": {**RULE, "protocol": "tcp\ndrop"}},
     400, "HTTPBadRequest"),
    ("post", "ports", {"port": {"network_id": "{foreign}"}}, 404, "NetworkNotFound"),
    ("post", "ports", {"port": {"network_id": "{nothing}"}}, 404, "NetworkNotFound"),
    ("post", "ports", {"port": {**PORT, "fixed_ips": [{"ip_address": "{taken}"}]}}, 409, "IpAddressInUse"),
    ("post", "ports", {"port": {**PORT, "fixed_ips": [{"ip_address": "10.9.9.9"}]}}, 400, "InvalidIpForNetwork"),
    ("post", "ports", {"port": {**PORT, "fixed_ips": [{"ip_address": "10.0.0.255"}]}}, 400, "InvalidIpForNetwork"),
    ("post", "ports", {"port": {**PORT, "fixed_ips": [{"subnet_id": "{foreign_subnet}"}]}}, 400, "InvalidInput"),
    ("post", "ports", {"port": {**PORT, "security_groups": ["{foreign_group}"]}}, 404, "SecurityGroupNotFound"),
    ("post", "ports", {"port": {**PORT, "mac_address": "fa:16:3e:00:00:0g"}}, 400, "HTTPBadRequest"),
    ("post", "ports", {"port": {**PORT, "extra_dhcp_opts": [{"opt_name": "router", "opt_value": "1.2.3.4\nx"}]}},
     400, "HTTPBadRequest"),
    ("post", "ports", {"port": {**PORT, "extra_dhcp_opts": [{"opt_name": "mtu\n", "opt_value": "1400"}]}},
     400, "HTTPBadRequest"),
    ("put", "ports/{port}", {"port": {"extra_dhcp_opts": [{"opt_name": "domain-name", "opt_value": "a\rb"}]}},
     400, "HTTPBadRequest"),
    ("put", "ports/{foreign_port}", {"port": {"name": "mine"}}, 404, "PortNotFound"),
    ("delete", "ports/{foreign_port}", None, 404, "PortNotFound"),
    ("delete", "networks/{foreign}", None, 404, "NetworkNotFound"),
    ("delete", "networks/{network}", None, 409, "NetworkInUse"),
    ("delete", "subnets/{subnet}", None, 409, "SubnetInUse"),
    ("delete", "subnets/{foreign_subnet}", None, 404, "SubnetNotFound"),
    ("delete", "security-groups/{group}", None, 409, "SecurityGroupInUse"),
    ("post", "networks", {"network": {"mtu": 67}}, 400, "HTTPBadRequest"),
    ("post", "networks", {"network": {"qos_policy_id": "{nothing}"}}, 404, "QosPolicyNotFound"),
    ("post", "networks", {"network": {"name": "n" * 256}}, 400, "HTTPBadRequest"),
    ("post", "networks", {"network": {"project_id": "p2"}}, 400, "HTTPBadRequest"),
    ("put", "networks/{network}/tags", {"tags": ["a\nb"]}, 400, "HTTPBadRequest"),
    ("post", "routers", {"router": {"external_gateway_info": {"network_id": "{network}"}}}, 400, "HTTPBadRequest"),
    ("post", "floatingips", {"floatingip": {"floating_network_id": "{foreign}"}}, 404, "NetworkNotFound"),
    ("post", "floatingips", {"floatingip": {"floating_network_id": "{network}"}}, 400, "HTTPBadRequest"),
]


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of the domain but those that only remember that a project was here."""
    models = [one for one in apps.get_app_config("networks").get_models() if one.__name__ != "NetworkQuota"]
    return {one.__name__: list(one.objects.order_by("pk").values()) for one in models}


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, names) for one in value]
    return value.format(**names) if isinstance(value, str) else value


@pytest.fixture
def names(api, make_network) -> dict[str, str]:
    """A project with a port in a network and a group, and another that has the same."""
    network, foreign = make_network(), make_network("10.5.0.0/24", project_id="p2")
    groups = {}
    for token in ("member", "stranger"):
        made = api.post(f"{URL}/security-groups", {"security_group": {"name": "g"}}, token=token)
        groups[token] = made.json()["security_group"]["id"]
    port = make_port(Port(network=network, project_id="p1"), None, [groups["member"]])
    other = make_port(Port(network=foreign, project_id="p2"), None, ())
    return {
        "network": network.id, "subnet": network.subnets.get().id, "port": port.id, "group": groups["member"],
        "foreign": foreign.id, "foreign_subnet": foreign.subnets.get().id, "foreign_port": other.id,
        "foreign_group": groups["stranger"], "taken": port.fixed_ips.get().ip_address, "nothing": new_uuid(),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}-{case[4]}")
def test_it_is_refused_and_changes_nothing(api, names, case):
    method, path, body, status, mistake = case
    before = everything()
    arguments = [] if body is None else [filled(body, names)]
    answer = getattr(api, method)(f"{URL}/{path.format(**names)}", *arguments)
    assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (status, mistake), answer.content
    sentence = answer.json()["NeutronError"]["message"]
    assert len(sentence) > 10, sentence
    assert "Traceback" not in sentence
    assert everything() == before


@pytest.mark.parametrize("attribute", ["name", "description"])
@pytest.mark.parametrize("path", NAMED)
def test_no_name_has_a_line_end_or_another_control_character(api, names, path, attribute):
    before = everything()
    kind = SINGULAR.get(path, path[:-1])
    needed = {"subnets": {"network_id": names["network"], "ip_version": 4, "cidr": "10.1.0.0/24"},
              "ports": {"network_id": names["network"]}, "subnetpools": {"prefixes": ["10.0.0.0/8"]}}
    for text in ("a\nb", "a\r", "\x00", "a\x1bb", "a\x7fb"):
        body = {kind: {**needed.get(path, {}), attribute: text}}
        assert api.post(f"{URL}/{path}", body, token="admin").status_code == 400
    assert everything() == before
