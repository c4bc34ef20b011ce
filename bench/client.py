"""A small HTTP client for measuring: a connection for each thread, nothing between it and the socket."""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_local = threading.local()
_IDLE_SECONDS = 20.0  # the API closes what was idle for 30


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any


class Client:
    """Speaks to one cloud with one token."""

    def __init__(self, url: str, auth: dict[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self.token = self._login(auth)

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Send a request and read the whole answer."""
        headers = {"X-Auth-Token": self.token, "OpenStack-API-Version": "compute 2.96"}
        status, _, raw = self._send(method, path, body, headers)
        return Answer(status, json.loads(raw) if raw[:1] in (b"{", b"[") else None)

    def _login(self, auth: dict[str, str]) -> str:
        domain = {"name": "Default"}
        user = {"name": auth["username"], "password": auth["password"], "domain": domain}
        body = {"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": auth["project_name"], "domain": domain}},
        }}
        _, headers, _ = self._send("POST", "/identity/v3/auth/tokens", body, {})
        return str(headers["X-Subject-Token"])

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any, bytes]:
        connection = self._connection()
        data = json.dumps(body).encode() if body is not None else None
        connection.request(method, path, data, {**headers, "Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    def _connection(self) -> http.client.HTTPConnection:
        key = (self._host, self._port)
        is_stale = time.monotonic() - getattr(_local, "used_at", 0.0) > _IDLE_SECONDS
        if getattr(_local, "key", None) != key or is_stale:
            _local.key, _local.connection = key, http.client.HTTPConnection(*key, timeout=60)
        _local.used_at = time.monotonic()
        found: http.client.HTTPConnection = _local.connection
        return found
