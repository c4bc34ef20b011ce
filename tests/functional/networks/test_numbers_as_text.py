"""Whole numbers may come as text: the stock client passes on what was typed, and Neutron reads it."""

import pytest

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"


def test_a_networks_mtu(api):
    made = api.post(f"{URL}/networks", {"network": {"mtu": "1400"}}).json()["network"]
    assert made["mtu"] == 1400
    url = f"{URL}/networks/{made['id']}"
    assert api.put(url, {"network": {"mtu": "1300"}}).json()["network"]["mtu"] == 1300
    assert api.put(url, {"network": {"mtu": "0"}}).json()["network"]["mtu"] == 1450
    for mtu in ("67", "-1", "1e3", "14OO", "", " 1400", "1400\n", "9" * 5000, "1400.0", None):
        assert api.put(url, {"network": {"mtu": mtu}}).status_code == 400, mtu
    assert api.get(url).json()["network"]["mtu"] == 1450


def test_the_ports_of_a_rule(api):
    group = api.post(f"{URL}/security-groups", {"security_group": {"name": "g"}}).json()["security_group"]["id"]

    def make(**attributes: object):
        rule = {"security_group_id": group, "direction": "ingress", **attributes}
        return api.post(f"{URL}/security-group-rules", {"security_group_rule": rule})

    rule = make(protocol="tcp", port_range_min="22", port_range_max="80").json()["security_group_rule"]
    assert (rule["port_range_min"], rule["port_range_max"]) == (22, 80)
    again = make(protocol="tcp", port_range_min=22, port_range_max=80)
    assert (again.status_code, again.json()["NeutronError"]["type"]) == (409, "SecurityGroupRuleExists")
    for low, high in (("80", "22"), ("22", "65536"), ("-1", "22"), ("ssh", "22"), ("22", "9" * 5000)):
        assert make(protocol="tcp", port_range_min=low, port_range_max=high).status_code == 400, (low, high)


def test_limits(api):
    answer = api.put(f"{URL}/quotas/p1", {"quota": {"network": "7", "port": "-1"}}, token="admin")
    assert {name: answer.json()["quota"][name] for name in ("network", "port")} == {"network": 7, "port": -1}
    for limit in ("-2", "many", "", str(2**31)):
        assert api.put(f"{URL}/quotas/p1", {"quota": {"network": limit}}, token="admin").status_code == 400, limit
    assert api.get(f"{URL}/quotas/p1").json()["quota"]["network"] == 7


def test_the_ip_version_of_an_address_scope(api):
    made = api.post(f"{URL}/address-scopes", {"address_scope": {"name": "s", "ip_version": "6"}})
    assert made.json()["address_scope"]["ip_version"] == 6
