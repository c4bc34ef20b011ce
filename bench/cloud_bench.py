"""What a person waits for, and what it costs: servers made and deleted, lists read, memory held, on fake hosts."""

import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import yaml

from bench.client import Client
from cloud.conductor.schedule import PERIODS
from contracts.compute import ECHO
from contracts.inbound import REPORTS
from host import supervision
from host.status import tree_memory_bytes
from tests.fixtures.broker_traffic import watched
from tests.fixtures.clouds import LocalCloud

SERVERS = "/compute/v2.1/servers"
CONCURRENCY = 20
READERS = 8
# Messages that go by the clock, whatever is made.
_BESIDE = frozenset({*REPORTS, *PERIODS, ECHO})


def measure(cloud: LocalCloud, servers: int, rows: int) -> dict[str, Any]:
    """Run every measurement against a cloud that is up; return figures by name, units in the names.

    Args:
        cloud: whose demo project may have as many servers as it likes.
        servers: how many are made at once.
        rows: how many there are when the longest list is read.
    """
    clouds = yaml.safe_load((cloud.state_dir / "clouds.yaml").read_text())["clouds"]
    client = Client(cloud.url, clouds["novella"]["auth"])
    body = create_body(client)
    figures: dict[str, Any] = {"single": _single(client, body)}
    figures["burst"] = _made(cloud, client, servers, lambda: _burst(client, body, servers))
    figures["reads"] = _reads(client)
    figures["delete_burst"] = _gone(cloud, client)
    one_request = {"server": {**body["server"], "min_count": servers, "max_count": servers}}
    figures["one_request"] = _made(cloud, client, servers, lambda: [client.call("POST", SERVERS, one_request)])
    figures["delete_one_request"] = _gone(cloud, client)
    figures["messages_per_server"] = _messages(cloud, client, body)
    _gone(cloud, client)
    many = {"server": {**body["server"], "min_count": rows, "max_count": rows}}
    figures[f"one_request_{rows}"] = _made(cloud, client, rows, lambda: [client.call("POST", SERVERS, many)])
    figures[f"detail_{rows}"] = _read(client, f"{SERVERS}/detail?limit={rows}", requests=24)
    figures["memory_mb"] = {name: tree_memory_bytes(pid) // 2**20 for name, pid in _pids(cloud).items()}
    figures["memory_mb"]["together"] = sum(figures["memory_mb"].values())
    return figures


def create_body(client: Client) -> dict[str, Any]:
    """Make a network; return the body of a request for one tiny server in it."""
    image = client.call("GET", "/image/v2/images?name=tiny").body["images"][0]["id"]
    flavors = client.call("GET", "/compute/v2.1/flavors").body["flavors"]
    flavor = next(flavor["id"] for flavor in flavors if flavor["name"] == "m1.tiny")
    networks = [{"uuid": _network(client)}]
    return {"server": {"name": "bench", "imageRef": image, "flavorRef": flavor, "networks": networks}}


def _network(client: Client) -> str:
    """Make a network with room for thousands of servers."""
    network = client.call("POST", "/network/v2.0/networks", {"network": {"name": "bench"}}).body["network"]["id"]
    subnet = {"subnet": {"network_id": network, "cidr": "10.64.0.0/16", "ip_version": 4}}
    assert client.call("POST", "/network/v2.0/subnets", subnet).status == 201
    return str(network)


def _single(client: Client, body: dict[str, Any]) -> dict[str, float]:
    posts, actives = [], []
    for _ in range(10):
        began = time.perf_counter()
        server = client.call("POST", SERVERS, body).body["server"]["id"]
        posts.append(time.perf_counter() - began)
        while client.call("GET", f"{SERVERS}/{server}").body["server"]["status"] == "BUILD":
            time.sleep(0.01)
        actives.append(time.perf_counter() - began)
    return {"post_ms": _ms(posts), "active_ms": _ms(actives)}


def _burst(client: Client, body: dict[str, Any], servers: int) -> list[Any]:
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        return list(pool.map(lambda _: client.call("POST", SERVERS, body), range(servers)))


def _made(cloud: LocalCloud, client: Client, servers: int, make: Callable[[], Iterable[Any]]) -> dict[str, float]:
    before = len(_listed(client))
    cpu, began = cpu_seconds(cloud), time.perf_counter()
    refused = [answer.body for answer in make() if answer.status != 202]
    assert not refused, refused[:1]
    posted = time.perf_counter() - began
    while len(_listed(client, "&status=ACTIVE")) < before + servers:
        for row in _listed(client, "&status=ERROR"):
            raise RuntimeError(client.call("GET", f"{SERVERS}/{row['id']}").body["server"]["fault"])
        time.sleep(0.1)
    wall = time.perf_counter() - began
    return {
        "servers_per_second": round(servers / wall, 1), "posts_per_second": round(servers / posted, 1),
        "cpu_seconds_per_server": round((cpu_seconds(cloud) - cpu) / servers, 4),
    }


def _messages(cloud: LocalCloud, client: Client, body: dict[str, Any]) -> dict[str, float]:
    """Return how many messages go over the broker for a server made alone, and for one of ten of a request."""
    ten = {"server": {**body["server"], "min_count": 10, "max_count": 10}}
    ways = {"alone": lambda: _burst(client, body, 10), "of_ten": lambda: [client.call("POST", SERVERS, ten)]}
    figures = {}
    for name, make in ways.items():
        with watched(cloud.redis()) as traffic:
            _made(cloud, client, 10, make)
        figures[name] = sum(task not in _BESIDE for task, _ in traffic.messages) / 10
    return figures


def _gone(cloud: LocalCloud, client: Client) -> dict[str, float]:
    ids = [row["id"] for row in _listed(client)]
    cpu, began = cpu_seconds(cloud), time.perf_counter()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        list(pool.map(lambda one: client.call("DELETE", f"{SERVERS}/{one}"), ids))
    while _listed(client):
        time.sleep(0.1)
    return {
        "servers_per_second": round(len(ids) / (time.perf_counter() - began), 1),
        "cpu_seconds_per_server": round((cpu_seconds(cloud) - cpu) / len(ids), 4),
    }


def _reads(client: Client) -> dict[str, dict[str, float]]:
    some = _listed(client)[0]["id"]
    paths = {"list": SERVERS, "detail": f"{SERVERS}/detail", "show": f"{SERVERS}/{some}",
             "token": "/identity/v3/auth/catalog"}
    return {name: _read(client, path) for name, path in paths.items()}


def _read(client: Client, path: str, requests: int = 200) -> dict[str, float]:
    def one(_: int) -> float:
        began = time.perf_counter()
        assert client.call("GET", path).status == 200
        return time.perf_counter() - began

    alone = [one(0) for _ in range(20)]
    began = time.perf_counter()
    with ThreadPoolExecutor(READERS) as pool:
        times = sorted(pool.map(one, range(requests)))
    wall = time.perf_counter() - began
    return {"alone_ms": _ms(alone), "p50_ms": _ms(times), "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 1),
            "requests_per_second": round(requests / wall, 1)}


def _listed(client: Client, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.call("GET", f"{SERVERS}?name=bench{query}").body["servers"]
    return rows


def _pids(cloud: LocalCloud) -> dict[str, int]:
    """Return the supervised processes of the cloud."""
    return {one["name"]: one["pid"] for one in supervision.processes(cloud.settings) if one["pid"]}


def cpu_seconds(cloud: LocalCloud) -> float:
    """Return the CPU seconds that all processes of a cloud have used."""
    total = 0.0
    for pid in _pids(cloud).values():
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _ms(seconds: list[float]) -> float:
    return round(statistics.median(seconds) * 1000, 1)
