"""What watches the cloud is answered."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cloud.compute.models import Instance, Operation
from tests.factories.identity import create_user
from tests.factories.instances import make_host, make_instance
from tests.factories.operations import begin_build

pytestmark = pytest.mark.django_db


def test_health_names_the_parts(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["database"] == "up"
    assert answer.json()["redis"]


def test_health_says_what_is_oldest_and_that_nobody_ends_it(client):
    make_host("up")
    instance = make_instance(vm_state="active", task_state="powering-off", display_name="secret-name")
    Instance.objects.update(updated_at=timezone.now() - timedelta(seconds=90))
    said = client.get("/healthz")
    assert said.json()["status"] == "degraded"
    assert said.json()["oldest_transient_state"] == "powering-off"
    assert said.json()["oldest_transient_state_seconds"] >= 90
    assert said.json()["hosts"] == {"up": 1, "down": 0}
    assert b"secret-name" not in said.content
    assert instance.uuid.encode() not in said.content


def test_the_health_page_leads_to_the_operation_that_is_late(client):
    client.force_login(create_user("root", is_staff=True))
    operation = begin_build(make_instance(display_name="web"))
    Operation.objects.update(deadline=timezone.now() - timedelta(minutes=5))
    assert "data-live" in client.get("/admin/health/", follow=True).content.decode()
    said = client.get(reverse("admin:health_values")).content.decode()
    assert reverse("admin:compute_operation_change", args=[operation.pk]) in said
    assert "web, scheduling" in said
    assert client.get("/healthz").json()["operations"] == {"running": 1, "overdue": 1}
    assert "novella_operations_overdue 1.0" in client.get("/metrics").content.decode()


def test_strangers_do_not_see_the_health_page(client):
    for name in ("health", "health_values"):
        assert client.get(reverse(f"admin:{name}")).status_code == 302


def test_metrics_count_requests(client):
    client.get("/image/versions")
    text = client.get("/metrics").content.decode()
    assert 'novella_http_requests_total{method="GET",service="image",status="200"}' in text
    assert "novella_oldest_transient_state_seconds 0.0" in text


def test_the_openapi_document_has_every_service_and_secures_what_needs_a_token(client):
    document = client.get("/api/schema/").json()
    assert {tag["name"] for tag in document["tags"]} >= {"compute", "identity", "image"}
    upload = document["paths"]["/image/v2/images/{image_id}/file"]["put"]
    assert upload["security"] == [{"token": []}]
    assert list(upload["requestBody"]["content"]) == ["application/octet-stream"]
