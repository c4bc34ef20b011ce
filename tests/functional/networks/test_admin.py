"""The admin pages of networks and placement."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cloud.core.models import new_uuid
from cloud.networks.models import (
    AddressScope,
    FixedIp,
    FloatingIp,
    QosPolicy,
    RbacPolicy,
    Router,
    SecurityGroup,
    SubnetPool,
)
from cloud.networks.services import allocation, changes
from cloud.networks.services.quotas import set_limits
from cloud.placement.services.claims import Claim, claim
from cloud.placement.services.providers import Said, report
from tests.factories.identity import create_user

pytestmark = pytest.mark.django_db
admin.autodiscover()
MODELS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in ("networks", "placement")),
    key=lambda model: model._meta.label,
)
PLUGGED = {"mode": "explicit", "security_groups": []}


@pytest.fixture
def staff():
    client = Client()
    client.force_login(create_user("root", is_staff=True))
    return client


def fill(network, host: str) -> None:
    """Make one more row of everything."""
    server = new_uuid()
    allocation.allocate(server, "p1", {**PLUGGED, "requests": [{"network_id": network.id}]}, host)
    report([Said(host, new_uuid(), {"VCPU": 4, "MEMORY_MB": 4096, "DISK_GB": 10}, ["CUSTOM_A"])])
    claim([Claim(server, host, {"VCPU": 1}, "p1", "u")])
    SecurityGroup.objects.create(project_id="p1", name=host)
    router = Router.objects.create(project_id="p1", name=host)
    led = FixedIp.objects.filter(port__device_id=server).first()
    FloatingIp.objects.create(network=network, floating_ip_address=host, project_id="p1", fixed_ip=led, router=router)
    scope = AddressScope.objects.create(project_id="p1", name=host, ip_version=4)
    SubnetPool.objects.create(project_id="p1", name=host, ip_version=4, prefixes=["10.0.0.0/8"], min_prefixlen=8,
                              default_prefixlen=8, max_prefixlen=32, address_scope=scope)
    QosPolicy.objects.create(project_id="p1", name=host)
    RbacPolicy.objects.create(project_id="p1", object_type="network", object_id=network.id, target_project=host)
    set_limits(host, {"port": 3})
    changes.take()


@pytest.fixture
def network(make_network):
    network = make_network()
    fill(network, "h1")
    return network


def test_every_model_of_use_has_a_page():
    assert {model.__name__ for model in MODELS} >= {
        "Network", "Subnet", "Port", "SecurityGroup", "SecurityGroupRule", "Router", "FloatingIp",
        "ResourceProvider", "Inventory", "Allocation"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_lists_searches_and_rows_open_and_change_nothing(staff, network, model):
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert staff.get(base).status_code == 200
    assert staff.get(f"{base}?q=x").status_code == 200
    row = model.objects.first()
    assert staff.get(f"{base}{row.pk}/change/").status_code == 200
    assert staff.get(f"{base}add/").status_code == 403
    assert staff.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_costs_the_same_for_any_number(staff, network, model):
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            staff.get(url)
        return len(queries)

    cost()
    before = cost()
    for number in range(4):
        fill(network, f"host{number}")
    assert cost() == before


def test_a_port_says_what_its_host_has_of_it(staff, network):
    port = network.ports.first()
    examination = reverse("admin:port_examination", args=[port.pk])
    assert f'data-live="{examination}"' in staff.get(f"/admin/networks/port/{port.pk}/change/").content.decode()
    said = staff.get(examination).content.decode()
    assert "<td>packets in</td>" in said
    assert "data-running" not in said  # it is asked once
    assert staff.get(reverse("admin:port_examination", args=[new_uuid()])).status_code == 404
    assert Client().get(examination).status_code == 302


def test_a_provider_shows_how_full_it_is(staff, network):
    page = staff.get("/admin/placement/resourceprovider/").content.decode()
    assert "1 / 16" in page
