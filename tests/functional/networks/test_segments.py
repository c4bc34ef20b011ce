"""What carries networks between hosts."""

import pytest

from cloud.networks.models import Network
from tests.factories.instances import make_host

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/networks"
TYPE, WIRE, NUMBER = "provider:network_type", "provider:physical_network", "provider:segmentation_id"


@pytest.fixture(autouse=True)
def ranges(settings):
    settings.VNI_RANGE = (10, 12)
    settings.PHYSICAL_NETWORKS = {"lan": (100, 101), "dc": (1, 4094)}


def ask(api, token: str = "admin", **attributes: object):
    return api.post(URL, {"network": attributes}, token=token)


def kind(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["NeutronError"]["type"]


def segment(answer) -> tuple[object, ...]:
    network = answer.json()["network"]
    return network[TYPE], network[WIRE], network[NUMBER], network["mtu"]


def test_every_network_gets_a_number_until_none_is_left(api):
    made = [ask(api) for _ in range(3)]
    assert sorted(segment(one) for one in made) == [("vxlan", None, number, 1450) for number in (10, 11, 12)]
    assert kind(ask(api)) == (409, "NoNetworkAvailable")
    assert Network.objects.count() == 3
    gone = made[1].json()["network"]
    api.delete(f"{URL}/{gone['id']}")
    assert ask(api).json()["network"][NUMBER] == gone[NUMBER]


def test_an_admin_names_it(api):
    assert segment(ask(api, **{TYPE: "vlan", WIRE: "lan", NUMBER: "7"})) == ("vlan", "lan", 7, 1500)
    assert segment(ask(api, **{TYPE: "vlan", WIRE: "dc", NUMBER: 7})) == ("vlan", "dc", 7, 1500)
    assert segment(ask(api, **{TYPE: "vxlan", NUMBER: 7})) == ("vxlan", None, 7, 1450)
    assert segment(ask(api, **{TYPE: "flat", WIRE: "lan"})) == ("flat", "lan", None, 1500)
    assert segment(ask(api, **{TYPE: "flat", WIRE: "dc", "mtu": 9000})) == ("flat", "dc", None, 9000)
    assert [segment(ask(api, **{TYPE: "local"})) for _ in range(2)] == [("local", None, None, 1500)] * 2
    assert segment(ask(api, **{TYPE: "vlan", WIRE: "lan"}))[2] in (100, 101)
    assert segment(ask(api, **{TYPE: "vlan", WIRE: "lan"}))[2] in (100, 101)
    assert kind(ask(api, **{TYPE: "vlan", WIRE: "lan"})) == (409, "NoNetworkAvailable")


@pytest.mark.parametrize(("attributes", "error"), [
    ({TYPE: "vlan", WIRE: "lan", NUMBER: 100}, (409, "VlanIdInUse")),
    ({TYPE: "vxlan", NUMBER: 5}, (409, "TunnelIdInUse")),
    ({TYPE: "flat", WIRE: "lan"}, (409, "FlatNetworkInUse")),
    ({TYPE: "vlan", WIRE: "moon"}, (400, "InvalidInput")),
    ({TYPE: "vlan"}, (400, "InvalidInput")),
    ({TYPE: "flat"}, (400, "InvalidInput")),
    ({TYPE: "vlan", WIRE: "lan", NUMBER: 4095}, (400, "InvalidInput")),
    ({TYPE: "vxlan", NUMBER: 2**24}, (400, "HTTPBadRequest")),
    ({TYPE: "vxlan", NUMBER: 0}, (400, "HTTPBadRequest")),
    ({TYPE: "vxlan", NUMBER: True}, (400, "HTTPBadRequest")),
    ({TYPE: "vxlan", WIRE: "lan"}, (400, "InvalidInput")),
    ({TYPE: "flat", WIRE: "dc", NUMBER: 5}, (400, "InvalidInput")),
    ({TYPE: "local", NUMBER: 5}, (400, "InvalidInput")),
    ({TYPE: "gre"}, (400, "HTTPBadRequest")),
    ({TYPE: "flat", WIRE: "lan\nlan"}, (400, "HTTPBadRequest")),
    ({NUMBER: 5}, (400, "InvalidInput")),
    ({"mtu": 9000}, (400, "InvalidInput")),
])
def test_what_cannot_be_is_refused(api, attributes, error):
    for taken in ({TYPE: "vlan", WIRE: "lan", NUMBER: 100}, {TYPE: "vxlan", NUMBER: 5}, {TYPE: "flat", WIRE: "lan"}):
        assert ask(api, **taken).status_code == 201
    assert kind(ask(api, **attributes)) == error
    assert Network.objects.count() == 3


def test_it_is_an_admins_business(api):
    assert ask(api, token="member", **{TYPE: "vxlan"}).status_code == 403
    mine = ask(api, token="member").json()["network"]
    assert not {TYPE, WIRE, NUMBER} & set(mine)
    assert api.get(f"{URL}?{TYPE}=vxlan").status_code == 403
    number = api.get(f"{URL}/{mine['id']}", token="admin").json()["network"][NUMBER]
    found = api.get(f"{URL}?{TYPE}=vxlan&{NUMBER}={number}", token="admin").json()["networks"]
    assert [one["id"] for one in found] == [mine["id"]]


def test_it_stays(api):
    mine = ask(api).json()["network"]
    same = {name: mine[name] for name in (TYPE, WIRE, NUMBER)}
    url = f"{URL}/{mine['id']}"
    assert api.put(url, {"network": {**same, "name": "x"}}, token="admin").status_code == 200
    assert kind(api.put(url, {"network": {NUMBER: 99}}, token="admin")) == (400, "InvalidInput")
    assert kind(api.put(url, {"network": {"mtu": 9000}}, token="admin")) == (400, "InvalidInput")
    assert api.put(url, {"network": {NUMBER: mine[NUMBER]}}, token="member").status_code == 403


def test_what_no_host_can_carry_is_refused_clearly(api):
    make_host("silent")  # its agent is of an older release
    assert ask(api, **{TYPE: "vlan", WIRE: "lan"}).status_code == 201
    make_host("a", network_types=["flat", "vxlan"])
    answer = ask(api, **{TYPE: "vlan", WIRE: "lan"})
    assert kind(answer) == (400, "InvalidInput")
    assert "their kernels lack 802.1Q" in answer.json()["NeutronError"]["message"]
    assert Network.objects.count() == 1
    make_host("b", network_types=["flat", "vlan", "vxlan"])
    assert ask(api, **{TYPE: "vlan", WIRE: "lan"}).status_code == 201


def test_a_wire_that_no_host_is_connected_to_is_refused_once_hosts_name_any(api):
    make_host("a", network_types=["flat", "vlan"])
    assert ask(api, **{TYPE: "flat", WIRE: "lan"}).status_code == 201
    make_host("b", network_types=["flat", "vlan"], physical_networks=["lan"])
    answer = ask(api, **{TYPE: "vlan", WIRE: "dc"})
    assert kind(answer) == (400, "InvalidInput")
    assert "no host is connected to physical_network 'dc'" in answer.json()["NeutronError"]["message"]
    assert ask(api, **{TYPE: "vlan", WIRE: "lan"}).status_code == 201
    assert ask(api).status_code == 201
