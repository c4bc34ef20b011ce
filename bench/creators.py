"""How long one waits who is not alone: POST at 20 requests a second, and 50 creators at once on 1,000 fake hosts."""

import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import yaml

from bench.client import Client
from bench.cloud import lift_quotas
from bench.cloud_bench import SERVERS, cpu_seconds, create_body
from bench.report import quantiles
from contracts.routing import CONDUCTOR_QUEUE, HEARD_QUEUE, INBOUND_QUEUE, REPORTS_QUEUE
from tests.chaos.real.postgres import PostgresServer
from tests.fixtures.clouds import LocalCloud, wait_until

_A_SECOND = 20
_SECONDS = 10
_CREATORS = 50
_EACH = 4
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 120.0


def measure(hosts: int = 1_000) -> dict[str, Any]:
    """Return the figures on PostgreSQL with this many fake hosts."""
    with _cloud(hosts) as (cloud, client):
        body = create_body(client)
        with _Watch(client) as watch:
            paced = _measured(cloud, watch, lambda: _paced(client, body, watch), _A_SECOND * _SECONDS)
            crowd = _measured(cloud, watch, lambda: _crowd(client, body, watch), _CREATORS * _EACH)
        return {f"posts_at_{_A_SECOND}_a_second": paced, f"creators_{_CREATORS}_at_once": crowd}


@contextmanager
def _cloud(hosts: int) -> Iterator[tuple[LocalCloud, Client]]:
    postgres = PostgresServer()
    with tempfile.TemporaryDirectory(prefix="novella-bench.") as folder:
        cloud = LocalCloud(Path(folder), "fake", hosts=hosts, DATABASE_URL=postgres.url)
        try:
            cloud.host("up")
            lift_quotas(cloud)
            clouds = yaml.safe_load((cloud.state_dir / "clouds.yaml").read_text())["clouds"]
            admin = Client(cloud.url, clouds["novella-admin"]["auth"])
            services = "/compute/v2.1/os-services?binary=nova-compute"
            wait_until(lambda: len(admin.call("GET", services).body["services"]) >= hosts, "all hosts", seconds=180)
            queues = (INBOUND_QUEUE, HEARD_QUEUE, REPORTS_QUEUE, CONDUCTOR_QUEUE)
            wait_until(lambda: not any(cloud.redis().llen(queue) for queue in queues), "calm", seconds=300)
            yield cloud, Client(cloud.url, clouds["novella"]["auth"])
        finally:
            cloud.end()
            postgres.stop()


class _Watch(threading.Thread):
    """Sees when servers become ACTIVE, by one list of them all: who polls each by itself measures the polling."""

    def __init__(self, client: Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self._is_over = threading.Event()
        self.posted: dict[str, float] = {}
        self.active: dict[str, float] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()

    def run(self) -> None:
        """Look until the end."""
        while not self._is_over.wait(_LOOK_SECONDS):
            rows = self._client.call("GET", f"{SERVERS}?status=ACTIVE&limit=1000").body["servers"]
            now = time.perf_counter()
            for row in rows:
                self.active.setdefault(row["id"], now)

    def wait_for(self, server: str) -> None:
        """Wait until a server is ACTIVE, or has not become so in good time."""
        deadline = self.posted[server] + _PATIENCE_SECONDS
        while server not in self.active and time.perf_counter() < deadline:
            time.sleep(_LOOK_SECONDS / 5)


def _measured(cloud: LocalCloud, watch: _Watch, make: Any, servers: int) -> dict[str, Any]:
    watch.posted.clear()
    before, began = cpu_seconds(cloud), time.perf_counter()
    posts = make()
    for server in list(watch.posted):
        watch.wait_for(server)
    wall = time.perf_counter() - began
    late = [server for server in watch.posted if server not in watch.active]
    # A late one has taken at least as long as it was waited for.
    actives = [watch.active.get(server, at + _PATIENCE_SECONDS) - at for server, at in watch.posted.items()]
    return {
        "post": quantiles(posts), "active": quantiles(actives), "late": len(late),
        "servers_per_second": round((servers - len(late)) / wall, 1),
        "cpu_seconds_per_server": round((cpu_seconds(cloud) - before) / servers, 4),
    }  # fmt: skip


def _paced(client: Client, body: dict[str, Any], watch: _Watch) -> list[float]:
    """Send requests at their times, whether or not earlier ones were answered."""
    began = time.perf_counter()

    def one(number: int) -> float:
        due = began + number / _A_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        return _post(client, body, watch)[1]

    with ThreadPoolExecutor(_A_SECOND) as pool:
        return list(pool.map(one, range(_A_SECOND * _SECONDS)))


def _crowd(client: Client, body: dict[str, Any], watch: _Watch) -> list[float]:
    """Let each creator make one server after the other, waiting for each."""

    def one(_: int) -> list[float]:
        times: list[float] = []
        for _ in range(_EACH):
            server, seconds = _post(client, body, watch)
            times.append(seconds)
            watch.wait_for(server)
        return times

    with ThreadPoolExecutor(_CREATORS) as pool:
        return [seconds for times in pool.map(one, range(_CREATORS)) for seconds in times]


def _post(client: Client, body: dict[str, Any], watch: _Watch) -> tuple[str, float]:
    began = time.perf_counter()
    answer = client.call("POST", SERVERS, body)
    assert answer.status == 202, answer.body
    server: str = answer.body["server"]["id"]
    watch.posted[server] = began
    return server, time.perf_counter() - began
