"""The picture of networks, routers, servers and the outside."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cloud.compute.admin.topology_picture import BOX_WIDTH, picture
from cloud.core.models import new_uuid
from cloud.networks.models import Network, Port, Router, Subnet
from cloud.networks.selectors.topology import topology
from cloud.networks.services import allocation, floating_ips, router_interfaces, routers
from tests.factories.identity import create_user
from tests.factories.instances import make_instance
from tests.functional.compute.conftest import CONTEXTS, MINE, THEIRS

pytestmark = pytest.mark.django_db
PAGE, PICTURE = "/admin/compute/instance/topology/", "/admin/compute/instance/topology/picture/"


@pytest.fixture
def staff():
    client = Client()
    client.force_login(create_user("root", is_staff=True))
    return client


def make_network(base: str, name: str, **columns: object) -> Network:
    network = Network.objects.create(**{"project_id": MINE, "name": name, "network_type": "vxlan", **columns})
    Subnet.objects.create(network=network, project_id=network.project_id, cidr=f"{base}.0/24", gateway_ip=f"{base}.1",
                          allocation_pools=[{"start": f"{base}.10", "end": f"{base}.250"}])
    return network


def make_server(*networks: Network, name: str = "web"):
    document = {"requests": [{"network_id": one.id} for one in networks], "security_groups": []}
    server = make_instance(project_id=MINE, display_name=name, vm_state="active", host="h1", network_request=document)
    allocation.allocate(server.uuid, MINE, document, "h1")
    allocation.set_active(server.uuid)
    return server


@pytest.fixture
def cloud(_identities):
    """The outside, a router, two networks, a server in both of them with a floating IP, and another's network."""
    outside = make_network("203.0.113", "public", project_id=THEIRS, is_external=True)
    front, back = make_network("10.1.0", "front"), make_network("10.2.0", "back")
    make_network("10.3.0", "theirs", project_id=THEIRS)
    context = CONTEXTS["member"]
    asked = {"project_id": MINE, "name": "gate", "external_gateway_info": {"network_id": outside.id}}
    (router,) = routers.create_routers(context, [asked])
    router_interfaces.add_subnet(context, router, front.subnets.get().id)
    server = make_server(front, back)
    port = Port.objects.get(device_id=server.uuid, network=front)
    draft = {"floating_network_id": outside.id, "project_id": MINE, "port_id": port.id}
    floating_ips.create_floating_ips(context, [draft])
    return {"outside": outside, "front": front, "back": back, "server": server, "router": router, "port": port}


def test_everything_is_drawn_and_leads_to_its_page(staff, cloud):
    page = staff.get(PAGE).content.decode()
    assert f'data-live="{PICTURE}"' in page
    assert staff.get("/admin/topology/?project=p").url == f"{PAGE}?project=p"
    said = staff.get(PICTURE).content.decode()
    assert "data-running" in said
    for name in ("public", "gate", "front", "back", "web", "theirs", "10.1.0.0/24", "ACTIVE on h1"):
        assert f">{name}<" in said, name
    fixed, floating = topology("", "", 9, 9).ports[0].addresses[0]
    assert f">{fixed} ⇄ {floating}<" in said
    for path in (f"networks/network/{cloud['front'].id}", f"networks/router/{cloud['router']}",
                 f"compute/instance/{cloud['server'].pk}"):
        assert f'href="/admin/{path}/change/"' in said
    # A leg inside, a gateway, and two ports.
    assert len(re.findall('<path class="wire', said)) == 4
    assert len(re.findall('<path class="wire good', said)) == 2 + 2 * bool(Router.objects.get().host)


def test_a_project_or_a_network_is_chosen(staff, cloud):
    theirs = staff.get(PICTURE, {"project": THEIRS}).content.decode()
    assert (">theirs<" in theirs, ">front<" in theirs) == (True, False)
    front = staff.get(PICTURE, {"network": cloud["front"].id}).content.decode()
    assert (">front<" in front, ">public<" in front, ">gate<" in front, ">back<" in front) == (True, True, True, False)
    assert "There is no such network." in staff.get(PICTURE, {"network": "x' or 1\0"}).content.decode()
    assert f"<option selected>{MINE}" in staff.get(PAGE, {"project": MINE}).content.decode()


def test_what_does_not_work_looks_so(staff, cloud):
    Network.objects.filter(id=cloud["back"].id).update(admin_state_up=False)
    Port.objects.filter(id=cloud["port"].id).update(status="DOWN")
    Router.objects.update(host="", admin_state_up=False)
    said = staff.get(PICTURE).content.decode()
    assert said.count(">switched off<") == 2
    assert ">on no host<" in said
    assert len(re.findall('<path class="wire plain', said)) == 1
    assert len(re.findall('<path class="wire bad', said)) == 2
    Port.objects.filter(id=cloud["port"].id).update(is_leaving=True)
    assert '<path class="wire plain' not in staff.get(PICTURE).content.decode()


def test_no_box_lies_on_another_and_lines_join_them(cloud):
    for number in range(4):
        make_server(cloud["front"], cloud["back"], name=f"s{number}")
    drawn = picture(topology("", "", 9, 3), {})
    for one in drawn.boxes:
        assert 0 <= one.x <= drawn.width - BOX_WIDTH
        assert 0 <= one.y <= drawn.height - one.height
        for other in drawn.boxes:
            apart = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert one is other or one.column != other.column or apart, (one, other)
    assert [one.name for one in drawn.boxes if one.kind == "more"] == ["and 2 more", "and 2 more"]


def test_it_is_bounded_and_costs_the_same_for_any_number(staff, cloud):
    def cost(**query: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            staff.get(PICTURE, query)
        return len(queries)

    cost()
    before = cost()
    for number in range(45):
        make_server(make_network(f"10.9.{number}", f"n{number}"), cloud["front"], name=f"s{number}")
    assert cost() == before
    seen = topology("", "", 40, 12)
    assert (len(seen.networks), seen.network_total) == (40, 49)
    assert sum(port.network_id == cloud["front"].id for port in seen.ports) == 12
    assert next(one.ports for one in seen.networks if one.name == "front") == 46
    said = staff.get(PICTURE).content.decode()
    assert "the first 40 of 49" in said
    assert ">and 34 more<" in said


def test_names_of_tenants_are_only_text(staff, cloud):
    Network.objects.filter(id=cloud["front"].id).update(name="<script>alert(1)</script>")
    said = staff.get(PICTURE).content.decode()
    assert "<script>" not in said
    assert "&lt;script&gt;" in said


def test_it_is_for_operators(client, cloud):
    for url in (PAGE, PICTURE):
        assert client.get(url).status_code == 302
    assert new_uuid() not in Client().get(PICTURE).content.decode()
