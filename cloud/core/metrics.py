"""Counting what the API does. Several processes share one folder of counters (PROMETHEUS_MULTIPROC_DIR)."""

from prometheus_client import Counter, Histogram

_SERVICES = frozenset({"identity", "compute", "image", "network", "placement", "volume", "admin"})
_REQUESTS = Counter("novella_http_requests", "Requests answered", ["service", "method", "status"])
_SECONDS = Histogram(
    "novella_http_request_seconds", "Time to answer a request", ["service", "method"],
    buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10),
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


def count_request(path: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request. Unknown paths and methods share a label, so that strangers make no new ones."""
    first = path.split("/", 2)[1]
    service = first if first in _SERVICES else "other"
    verb = method if method in _METHODS else "other"
    _REQUESTS.labels(service, verb, str(status)).inc()
    _SECONDS.labels(service, verb).observe(seconds)
