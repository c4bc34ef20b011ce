"""For whoever watches the cloud: /healthz, /metrics and /api/schema/."""

from typing import Any

import orjson
import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest, multiprocess, values

from cloud.compute.models import Instance
from cloud.compute.selectors.health import Health, health
from cloud.core.openapi import document

_REDIS_SECONDS = 1.0
_redis = redis.Redis.from_url(
    settings.REDIS_URL, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
)


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 while the database answers; say how Redis is, and how the work under way stands.

    Redis away is no reason to take the API out of service: it goes on reading, and what it accepts waits in rows.
    """
    try:
        seen = health()
    except DatabaseError as error:
        return _json({"status": "down", "database": type(error).__name__}, 503)
    try:
        _redis.ping()
        broker = "up"
    except redis.RedisError as error:
        broker = f"down: {type(error).__name__}"
    status = "up" if broker == "up" and seen.is_well else "degraded"
    return _json({"status": status, "database": "up", "redis": broker, **_figures(seen)})


def _figures(seen: Health) -> dict[str, Any]:
    """Nothing of whose servers these are: this is said to everybody."""
    return {
        "oldest_transient_state_seconds": round(seen.oldest_seconds, 1),
        "oldest_transient_state": seen.oldest.task_state if seen.oldest else None,
        "operations": {"running": seen.running, "overdue": seen.overdue},
        "hosts": {"up": seen.hosts_up, "down": seen.hosts_down},
        "unsent_orders": {"waiting": seen.unsent, "oldest_seconds": round(seen.unsent_seconds, 1)},
        "lapsed_leases": list(seen.leases_lapsed),
    }


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
    seen = health()
    for name, text, value in (
        ("novella_operations_running", "Operations under way", seen.running),
        ("novella_operations_overdue", "Operations past their deadline", seen.overdue),
        ("novella_oldest_transient_state_seconds", "Age of the oldest transient state", seen.oldest_seconds),
        ("novella_unsent_orders", "Orders that wait for the broker", seen.unsent),
        ("novella_unsent_order_seconds", "Age of the oldest order that waits", seen.unsent_seconds),
        ("novella_lapsed_leases", "Duties of one process that none has", len(seen.leases_lapsed)),
    ):
        Gauge(name, text, registry=registry).set(value)
    hosts = Gauge("novella_hosts", "Compute hosts by state", ["state"], registry=registry)
    hosts.labels("up").set(seen.hosts_up)
    hosts.labels("down").set(seen.hosts_down)
    return registry


def schema(request: HttpRequest) -> HttpResponse:
    """Answer the OpenAPI document."""
    return _json(document("Novella", "1"))


def _json(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
