"""For whoever watches the cloud: /healthz, /metrics and /api/schema/."""

from datetime import datetime
from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest, multiprocess, values

from cloud.compute import states
from cloud.compute.models import Instance, Operation, Service
from cloud.compute.models.operations import OperationState
from cloud.core.openapi import document

_REDIS_SECONDS = 1.0
_redis = redis.Redis.from_url(
    settings.REDIS_URL, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
)


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the database answers; say how Redis is and how old the oldest transient state.

    Redis away is no reason to take the API out of service: it goes on reading, and what it accepts waits in rows.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        oldest = _oldest_transient()
    except DatabaseError as error:
        return _json({"status": "down", "database": type(error).__name__}, 503)
    try:
        _redis.ping()
        broker = "up"
    except redis.RedisError as error:
        broker = f"down: {type(error).__name__}"
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    status = "up" if broker == "up" else "degraded"
    return _json({"status": status, "database": "up", "redis": broker, "oldest_transient_state_seconds": round(age, 1)})


def _oldest_transient() -> datetime | None:
    rows = Instance.objects.filter(deleted=False, task_state__in=states.TRANSIENT)
    found: datetime | None = rows.aggregate(oldest=Min("updated_at"))["oldest"]
    return found


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus: requests of all API processes, and what the database says now."""
    text = generate_latest(_database_registry()) + generate_latest(_request_registry())
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)


def _request_registry() -> CollectorRegistry:
    if values.ValueClass is values.MutexValue:
        from prometheus_client import REGISTRY  # noqa: PLC0415  # one process only, its own registry has it all

        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return registry


def _database_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    servers = Gauge("novella_servers", "Servers by state", ["vm_state"], registry=registry)
    for row in Instance.objects.filter(deleted=False).values("vm_state").annotate(number=Count("id")):
        servers.labels(row["vm_state"]).set(row["number"])
    Gauge("novella_operations_running", "Operations under way", registry=registry).set(
        Operation.objects.filter(state=OperationState.RUNNING).count()
    )
    oldest = _oldest_transient()
    age = (timezone.now() - oldest).total_seconds() if oldest else 0
    Gauge("novella_oldest_transient_state_seconds", "Age of the oldest transient state", registry=registry).set(age)
    hosts = Gauge("novella_hosts", "Compute hosts by state", ["state"], registry=registry)
    for row in Service.objects.filter(binary="nova-compute").values("is_up").annotate(number=Count("id")):
        hosts.labels("up" if row["is_up"] else "down").set(row["number"])
    return registry


def schema(request: HttpRequest) -> HttpResponse:
    """Answer the OpenAPI document."""
    return _json(document("Novella", "1"))


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
