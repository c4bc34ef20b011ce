"""An HTTP client for troubled times: every call ends within its time, and tells what came back, if anything."""

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any

import yaml

SERVERS = "/compute/v2.1/servers"
NOTHING = 0
_VERSION = "compute 2.96"


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 is no answer at all."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""

    @property
    def is_away(self) -> bool:
        """Whether the same request may do better in a moment."""
        return self.status in (NOTHING, 503)

    def __str__(self) -> str:
        retry = f", Retry-After {self.headers['retry-after']}" if "retry-after" in self.headers else ""
        return f"{self.status or self.error} in {self.seconds:.1f} s{retry}"


class Client:
    """Speaks to one cloud as one of its users. Threads may share it."""

    def __init__(self, port: int, auth: dict[str, str]) -> None:
        self._port = port
        self._auth = auth
        self._token = ""

    @classmethod
    def of(cls, cloud: Any, name: str) -> "Client":
        """Return a client with the credentials that `make up` wrote for a name of clouds.yaml."""
        clouds = yaml.safe_load((cloud.state_dir / "clouds.yaml").read_text())["clouds"]
        return cls(cloud.port, clouds[name]["auth"])

    def login(self) -> Answer:
        """Get a token."""
        domain = {"name": "Default"}
        user = {"name": self._auth["username"], "password": self._auth["password"], "domain": domain}
        scope = {"project": {"name": self._auth["project_name"], "domain": domain}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        answer = self._send("POST", "/identity/v3/auth/tokens", body, {}, 30)
        assert answer.is_away or answer.status == 201, f"{answer} {answer.body}"
        self._token = answer.headers.get("x-subject-token", "")
        return answer

    def call(
        self, method: str, path: str, body: Any = None, *, timeout: float = 60, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request once."""
        if not self._token:
            answer = self.login()
            if not self._token:
                return answer
        own = {"X-Auth-Token": self._token, "OpenStack-API-Version": _VERSION, **(headers or {})}
        return self._send(method, path, body, own, timeout)

    def insist(self, method: str, path: str, body: Any = None, *, seconds: float = 60, **options: Any) -> Answer:
        """Send a request again while nobody answers or the answer is 503, as clients do."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.call(method, path, body, **options)
            if not answer.is_away:
                return answer
            assert time.monotonic() < deadline, f"{method} {path}: {answer} for {seconds:.0f} s"
            time.sleep(0.2)

    def delete_at_once(self, uuid: str, seconds: float = 60) -> Answer:
        """Have a server deleted for good, also by a cloud that keeps deleted ones for a while."""
        return self.insist("POST", f"{SERVERS}/{uuid}/action", {"forceDelete": None}, seconds=seconds)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str], timeout: float) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        began = time.monotonic()
        try:
            connection.request(method, path, data, {"Content-Type": kind, **headers})
            response = connection.getresponse()
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            return Answer(NOTHING, seconds=time.monotonic() - began, error=f"{type(error).__name__}: {error}")
        finally:
            connection.close()
        parsed = json.loads(raw) if raw[:1] in (b"{", b"[") else None
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, parsed, found, time.monotonic() - began)
