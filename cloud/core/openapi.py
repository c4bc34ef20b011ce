"""The OpenAPI document of every service, read off the same route tables that answer the requests.

Source: https://spec.openapis.org/oas/v3.1.0
"""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from cloud.core.endpoints import Endpoint, Route, Service
from cloud.core.microversions import ByVersion

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]"
_TEXT = r"[^\x00-\x1f\x7f-\x9f]*"
_PATTERNS = {"printable": rf"^{_TEXT}$", "name": rf"^{_VISIBLE}({_TEXT}{_VISIBLE})?$"}
_STREAM = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def document(title: str, version: str) -> dict[str, Any]:
    """Return the OpenAPI document of every route that the project serves."""
    paths: dict[str, dict[str, Any]] = {}
    services: dict[str, Service] = {}
    for path, service, route in served(get_resolver().url_patterns):
        services[service.name] = service
        # Where two patterns meet in one path, the first that Django finds answers.
        operations = paths.setdefault(path, {"parameters": _path_parameters(path)})
        for method, found in route.endpoints():
            operations.setdefault(method.lower(), _operation(service, path, method, found))
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "tags": [{"name": name, "description": one.title or name} for name, one in sorted(services.items())],
        "paths": dict(sorted(paths.items())),
        "components": {"securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}}},
    }


def served(patterns: list[Any], prefix: str = "/") -> Iterator[tuple[str, Service, Route]]:
    """Yield (path with {names}, service, route) of every route below these URL patterns."""
    for pattern in patterns:
        text = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from served(pattern.url_patterns, prefix + text)
        elif isinstance(pattern, URLPattern) and "url_project_id" not in prefix + text:
            known = getattr(pattern.callback, "initkwargs", {})
            if "route" in known:
                yield _PARAMETER.sub(r"{\1}", prefix + text), known["service"], known["route"]


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _operation(service: Service, path: str, method: str, found: Endpoint) -> dict[str, Any]:
    text = (found.function.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": f"{service.name} {method} {path}",
        "tags": [service.name],
        "summary": text.splitlines()[0] if text else "",
        "parameters": [*_query_parameters(found), *_version_header(service, found)],
        "responses": {
            **{str(status): {"description": "success"} for status in _statuses(found)},
            "default": {"description": "a fault in the service's shape"},
        },
        "security": [] if found.is_public else [{"token": []}],
    }
    if method in _BODY_METHODS:
        is_required = found.body is not None or bool(_action_bodies(found))
        operation["requestBody"] = {"required": is_required, "content": _content(found)}
    if found.policy:
        operation["x-policy"] = found.policy
    if found.since or found.until:
        operation["x-microversions"] = {"since": str(found.since or ""), "until": str(found.until or "")}
    return operation


def _content(found: Endpoint) -> dict[str, Any]:
    if found.reads_stream:
        return _STREAM
    actions = _action_bodies(found)
    schema = {"oneOf": actions} if actions else _newest(found.body) or {}
    return {"application/json": {"schema": _in_plain_words(schema)}}


def _action_bodies(found: Endpoint) -> list[Any]:
    """Return the schemas of what an endpoint does by the name in the body, if it is of that kind."""
    return [_newest(action.body) for action in getattr(found.function, "actions", {}).values()]


def _in_plain_words(schema: Any) -> Any:
    """Return a schema with patterns in place of the formats that only we know."""
    if isinstance(schema, list):
        return [_in_plain_words(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _in_plain_words(value) for key, value in schema.items()}
    pattern = _PATTERNS.get(schema.get("format", "")) if isinstance(schema.get("format", ""), str) else None
    if pattern:
        del plain["format"]
        plain.setdefault("pattern", pattern)
    return plain


def _newest(value: Any) -> Any:
    return value.newest if isinstance(value, ByVersion) else value


def _statuses(found: Endpoint) -> list[int]:
    return [found.status] if isinstance(found.status, int) else sorted({status for _, status in found.status.steps})


def _query_parameters(found: Endpoint) -> list[dict[str, Any]]:
    schema = _newest(found.query) or {}
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "explode": True,
         "schema": _in_plain_words(one)}
        for name, one in schema.get("properties", {}).items()
    ]


def _version_header(service: Service, found: Endpoint) -> list[dict[str, Any]]:
    """Return the header with the newest and the oldest microversion of the operation."""
    known = service.microversions
    if known is None:
        return []
    newest, oldest = found.until or known.maximum, found.since or known.minimum
    values = [f"{known.service} {number}" for number in dict.fromkeys((newest, oldest))]
    return [{"name": "OpenStack-API-Version", "in": "header", "required": bool(found.since),
             "schema": {"type": "string", "enum": values, "default": values[0]}}]
