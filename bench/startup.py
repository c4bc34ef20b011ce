"""How long a cloud takes from the command that starts it to the first answer, and to the first host that is up."""

import contextlib
import http.client
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from bench.client import Client
from tests.fixtures.clouds import LocalCloud

_PAUSE_SECONDS = 0.02
_PATIENCE_SECONDS = 120.0
_UP = "/compute/v2.1/os-services?binary=nova-compute"


def run(hosts: int = 20) -> dict[str, dict[str, float]]:
    """Start a cloud of fake hosts from nothing, and once more when its database is there."""
    with tempfile.TemporaryDirectory(prefix="novella-bench.") as folder:
        cloud = LocalCloud(Path(folder), "fake", hosts=hosts)
        try:
            return {"fresh": _started(cloud), "again": _started(cloud)}
        finally:
            cloud.end()


def _started(cloud: LocalCloud) -> dict[str, float]:
    startup = Startup(cloud)
    startup.start()
    cloud.host("up")
    startup.join()
    cloud.host("down")
    return startup.figures


class Startup(threading.Thread):
    """Watches a cloud that is being started; `figures` holds what was seen by then."""

    def __init__(self, cloud: LocalCloud) -> None:
        super().__init__(daemon=True)
        self._cloud = cloud
        self._began = time.perf_counter()
        self.figures: dict[str, float] = {}

    def run(self) -> None:
        """Note the first answer, then the first host."""
        self._await("first_answer_seconds", self._answers)
        self._await("first_host_seconds", self._has_host)

    def _await(self, name: str, happened: Callable[[], bool]) -> None:
        while time.perf_counter() - self._began < _PATIENCE_SECONDS:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if happened():
                    self.figures[name] = round(time.perf_counter() - self._began, 2)
                    return
            time.sleep(_PAUSE_SECONDS)

    def _answers(self) -> bool:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._cloud.port, timeout=2)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200

    def _has_host(self) -> bool:
        clouds = yaml.safe_load((self._cloud.state_dir / "clouds.yaml").read_text())["clouds"]
        client = Client(self._cloud.url, clouds["novella-admin"]["auth"])
        while True:
            services = client.call("GET", _UP).body["services"]
            if any(one["state"] == "up" for one in services):
                return True
            time.sleep(_PAUSE_SECONDS)
