"""What watches the cloud is answered."""

import pytest

pytestmark = pytest.mark.django_db


def test_health_names_the_parts(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["database"] == "up"
    assert answer.json()["redis"]


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
