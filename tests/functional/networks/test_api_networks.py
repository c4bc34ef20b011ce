"""Networks over HTTP, as Neutron's clients see them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.core.models import new_uuid
from cloud.networks.models import Network, Port, Subnet
from cloud.networks.services.plugging import make_port

pytestmark = pytest.mark.django_db
NET = "/network/v2.0/networks"


def test_the_version_list_needs_no_token(api):
    for path in ("/network", "/network/"):
        answer = api.get(path, token="")
        assert answer.status_code == 200
        (version,) = answer.json()["versions"]
        assert (version["id"], version["status"]) == ("v2.0", "CURRENT")
        assert version["links"][0]["href"] == "http://testserver/network/v2.0/"


def test_without_a_token_the_answer_is_keystones(api):
    answer = api.get(NET, token="")
    assert answer.status_code == 401
    assert answer.json()["error"]["title"] == "Unauthorized"


def test_resources_and_extensions_are_listed(api):
    names = {one["name"] for one in api.get("/network/v2.0/").json()["resources"]}
    assert {"network", "subnet", "port", "security_group"} <= names
    aliases = {one["alias"] for one in api.get("/network/v2.0/extensions").json()["extensions"]}
    assert {"security-group", "quotas", "binding", "net-mtu"} <= aliases
    assert {"router", "ext-gw-mode", "extraroute"} <= aliases
    assert api.get("/network/v2.0/extensions/quotas").json()["extension"]["alias"] == "quotas"
    missing = api.get("/network/v2.0/extensions/metering")
    assert (missing.status_code, missing.json()["NeutronError"]["type"]) == (404, "ExtensionNotFound")


def test_there_are_no_service_providers_to_choose_between(api):
    assert api.get("/network/v2.0/service-providers").json() == {"service_providers": []}


def test_a_network_is_made_shown_changed_and_removed(api):
    made = api.post(NET, {"network": {"name": "n", "mtu": 1400, "admin_state_up": True}})
    assert made.status_code == 201
    network = made.json()["network"]
    assert {key: network[key] for key in ("name", "mtu", "project_id", "tenant_id", "shared", "router:external",
                                          "status", "subnets", "tags", "revision_number")} == {
        "name": "n", "mtu": 1400, "project_id": "p1", "tenant_id": "p1", "shared": False, "router:external": False,
        "status": "ACTIVE", "subnets": [], "tags": [], "revision_number": 1}
    url = f"{NET}/{network['id']}"
    assert api.get(url).json() == {"network": network}
    changed = api.put(url, {"network": {"name": "m", "mtu": 0}})
    assert changed.status_code == 200
    assert (changed.json()["network"]["name"], changed.json()["network"]["mtu"]) == ("m", 1450)
    assert changed.json()["network"]["revision_number"] == 2
    gone = api.delete(url)
    assert (gone.status_code, gone.content) == (204, b"")
    missing = api.get(url)
    assert missing.status_code == 404
    assert missing.json()["NeutronError"]["type"] == "NetworkNotFound"
    assert set(missing.json()["NeutronError"]) == {"type", "message", "detail"}


def test_several_are_made_at_once_or_none(api):
    answer = api.post(NET, {"networks": [{"name": "a"}, {"name": "b"}]})
    assert answer.status_code == 201
    assert [one["name"] for one in answer.json()["networks"]] == ["a", "b"]
    assert api.post(NET, {"networks": [{"name": "c"}, {"name": "d", "project_id": "p2"}]}).status_code == 400
    assert Network.objects.count() == 2


@pytest.mark.parametrize("body", [
    None, {}, {"network": None}, {"network": {"nonsense": 1}}, {"network": {"name": 5}}, {"network": {"mtu": 5}},
    {"network": {"name": "a\u0000"}}, {"network": {"name": "x" * 256}}, {"networks": []},
    {"network": {}, "networks": [{}]}, {"network": {"shared": "perhaps"}},
])
def test_a_bad_body_is_refused_in_neutrons_shape(api, body):
    answer = api.post(NET, body)
    assert answer.status_code == 400
    assert answer.json()["NeutronError"]["type"] == "HTTPBadRequest"
    assert answer.json()["NeutronError"]["message"]
    assert not Network.objects.exists()


def test_sharing_and_external_are_for_admins(api):
    for attribute in ("shared", "router:external"):
        refused = api.post(NET, {"network": {attribute: True}})
        assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (403, "PolicyNotAuthorized")
        assert api.post(NET, {"network": {attribute: False}}).status_code == 201
        assert api.post(NET, {"network": {attribute: True}}, token="admin").status_code == 201


def test_anothers_project_is_for_admins(api):
    assert api.post(NET, {"network": {"tenant_id": "p2"}}).status_code == 400
    made = api.post(NET, {"network": {"tenant_id": "p2"}}, token="admin")
    assert made.json()["network"]["project_id"] == "p2"


def test_a_reader_reads_only(api):
    assert api.get(NET, token="reader").status_code == 200
    assert api.post(NET, {"network": {}}, token="reader").status_code == 403


def test_projects_are_walls(api, make_network):
    foreign = make_network(project_id="p2")
    shared = make_network(project_id="p2", shared=True, name="everyone's")
    seen = [one["id"] for one in api.get(NET).json()["networks"]]
    assert seen == [shared.id]
    assert api.get(f"{NET}/{foreign.id}").status_code == 404
    for network in (foreign, shared):
        assert api.put(f"{NET}/{network.id}", {"network": {"name": "mine"}}).status_code == 404
        assert api.delete(f"{NET}/{network.id}").status_code == 404
    assert len(api.get(NET, token="admin").json()["networks"]) == 2


def test_sharing_ends_only_when_nobody_else_is_there(api, make_network):
    network = make_network(shared=True)
    make_port(Port(network=network, project_id="p2"), None, [])
    refused = api.put(f"{NET}/{network.id}", {"network": {"shared": False}}, token="admin")
    assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (409, "InvalidSharedSetting")


def test_a_network_with_ports_stays(api, make_network):
    network = make_network()
    port = make_port(Port(network=network, project_id="p1"), None, [])
    refused = api.delete(f"{NET}/{network.id}")
    assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (409, "NetworkInUse")
    assert port.id in refused.json()["NeutronError"]["message"]
    port.delete()
    assert api.delete(f"{NET}/{network.id}").status_code == 204
    assert not Subnet.objects.exists()


def test_lists_are_filtered_by_any_attribute(api):
    for name, up in (("a", True), ("b", False), ("c", False)):
        api.post(NET, {"network": {"name": name, "admin_state_up": up}})

    def names(query: str) -> list[str]:
        return sorted(one["name"] for one in api.get(f"{NET}?{query}").json()["networks"])

    assert names("name=a&name=b") == ["a", "b"]
    assert names("admin_state_up=False") == ["b", "c"]
    assert names("admin_state_up=false&name=b") == ["b"]
    assert names("status=ACTIVE&project_id=p1&tenant_id=p1") == ["a", "b", "c"]
    assert names("status=DOWN") == []
    assert names("router:external=True") == []
    assert names("name=") == []


@pytest.mark.parametrize("query", [
    "nonsense=1", "admin_state_up=perhaps", "mtu=abc", "limit=-1", "limit=abc", "sort_key=nonsense",
    "sort_key=name&sort_dir=sideways", "sort_key=name&sort_key=id&sort_dir=asc", "page_reverse=x",
])
def test_a_bad_query_is_refused(api, query):
    answer = api.get(f"{NET}?{query}")
    assert answer.status_code == 400
    assert answer.json()["NeutronError"]["type"] == "HTTPBadRequest"


def test_fields_choose_what_is_shown(api):
    api.post(NET, {"network": {"name": "a"}})
    assert api.get(f"{NET}?fields=name&fields=tenant_id").json() == {"networks": [{"name": "a", "tenant_id": "p1"}]}


def test_pages_follow_each_other_in_both_directions(api):
    for name in "dbaec":
        api.post(NET, {"network": {"name": name}})
    url, seen = f"{NET}?sort_key=name&sort_dir=desc&limit=2&fields=name&fields=id", []
    while url:
        page = api.get(url).json()
        seen.append("".join(one["name"] for one in page["networks"]))
        links = {link["rel"]: link["href"] for link in page.get("networks_links", [])}
        url, last = links.get("next"), links
    assert seen == ["ed", "cb", "a"]
    back = api.get(last["previous"]).json()
    assert "".join(one["name"] for one in back["networks"]) == "cb"
    assert api.get(f"{NET}?marker={new_uuid()}&limit=1").status_code == 404


def test_a_list_costs_the_same_for_any_number(api, make_network):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert api.get(NET).status_code == 200
        return len(queries)

    make_network()
    one = cost()
    for number in range(5):
        make_network(f"10.{number}.0.0/24")
    assert cost() == one


def test_quota_is_a_conflict(api):
    quota = "/network/v2.0/quotas/p1"
    assert api.put(quota, {"quota": {"network": 1}}).status_code == 403
    assert api.put(quota, {"quota": {"network": 1}}, token="admin").json()["quota"]["network"] == 1
    assert api.post(NET, {"network": {}}).status_code == 201
    refused = api.post(NET, {"network": {}})
    assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (409, "OverQuota")
    assert api.get(f"{quota}/details").json()["quota"]["network"] == {"limit": 1, "used": 1, "reserved": 0}
    assert api.get(f"{quota}/default").json()["quota"]["network"] == 100
    assert [one["project_id"] for one in api.get("/network/v2.0/quotas", token="admin").json()["quotas"]] == ["p1"]
    below = api.put(quota, {"quota": {"network": 0, "check_limit": True}}, token="admin")
    assert (below.status_code, below.json()["NeutronError"]["type"]) == (400, "InvalidQuotaValue")
    assert api.put(quota, {"quota": {"network": 0, "force": True}}, token="admin").json()["quota"]["network"] == 0
    assert api.delete(quota, token="admin").status_code == 204
    assert api.get(quota).json()["quota"]["network"] == 100
    assert api.get("/network/v2.0/quotas/p2").status_code == 403


def test_tags_are_put_replaced_found_and_removed(api):
    network = api.post(NET, {"network": {}}).json()["network"]
    url = f"{NET}/{network['id']}/tags"
    assert api.put(f"{url}/red").status_code == 201
    assert api.put(url, {"tags": ["blue", "red", "red"]}).json() == {"tags": ["blue", "red"]}
    assert api.get(url).json() == {"tags": ["blue", "red"]}
    assert (api.get(f"{url}/red").status_code, api.get(f"{url}/green").status_code) == (204, 404)
    for query, count in (("tags=red,blue", 1), ("tags=red,green", 0), ("tags-any=red,green", 1), ("not-tags=red", 0),
                         ("not-tags=red,green", 1), ("not-tags-any=green", 1)):
        assert len(api.get(f"{NET}?{query}").json()["networks"]) == count, query
    assert api.delete(f"{url}/red").status_code == 204
    assert api.delete(f"{url}/red").json()["NeutronError"]["type"] == "TagNotFound"
    assert api.delete(url).status_code == 204
    assert api.get(f"{NET}/{network['id']}").json()["network"]["tags"] == []
    assert api.put(f"{url}/red", token="stranger").status_code == 404


def test_unknown_paths_and_zeros_are_not_found(api):
    assert api.get("/network/v2.0/firewalls").json()["NeutronError"]["type"] == "HTTPNotFound"
    assert api.get(f"{NET}/a%00b").status_code == 404
    assert api.get(f"{NET}?name=a%00b").status_code == 400
