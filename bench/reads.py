"""What lists and lookups cost in a database of 25,000 servers and 5,000 hosts, on both kinds of database."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.client import Client
from bench.report import milliseconds, quantiles
from bench.stage import Stage, stage

_SERVERS = "/compute/v2.1/servers"
_READERS = 8
_ALONE = 15
_SECONDS = 2.0
_LEAST = 32


def measure(database: str, hosts: int = 5_000, servers: int = 25_000) -> dict[str, Any]:
    """Return the figures of each read on a database of a kind."""
    with stage(database) as here:
        began = time.perf_counter()
        here.run("-m", "bench.seeding", str(hosts), str(servers))
        seeded = time.perf_counter() - began
        here.serve()
        member, admin = here.client(), here.client("novella-admin")
        figures = {name: _read(here, member, path) for name, path in _paths(member).items()}
        figures |= {name: _read(here, admin, path) for name, path in _PATHS_OF_ADMINS.items()}
        return {"seed_seconds": round(seeded, 1), **figures}


def _paths(client: Client) -> dict[str, str]:
    page = client.call("GET", f"{_SERVERS}?limit=1000").body["servers"]
    assert len(page) == 1000, len(page)
    marker, some = page[-1]["id"], page[500]["id"]
    return {
        "list_1000": f"{_SERVERS}?limit=1000",
        "detail_1000": f"{_SERVERS}/detail?limit=1000",
        "detail_100": f"{_SERVERS}/detail?limit=100",
        "next_page_1000": f"{_SERVERS}?limit=1000&marker={marker}",
        "by_status": f"{_SERVERS}?limit=100&status=ERROR",
        "by_name": f"{_SERVERS}?limit=100&name=server-123",
        "by_exact_name_found_late": f"{_SERVERS}?limit=100&name=%5Eserver-77%24",
        "by_address": f"{_SERVERS}?limit=100&ip=10.64.20.7",
        "by_tag": f"{_SERVERS}?limit=100&tags=blue",
        "by_metadata": f"{_SERVERS}?limit=100&metadata=%7B%22role%22%3A%20%22role-3%22%7D",
        "sorted_by_name": f"{_SERVERS}?limit=100&sort_key=display_name&sort_dir=asc",
        "changes_since": f"{_SERVERS}?limit=100&changes-since=2020-01-01T00:00:00Z",
        "show": f"{_SERVERS}/{some}",
        "token": "/identity/v3/auth/catalog",
        "flavors": "/compute/v2.1/flavors/detail",
        "ports_100": "/network/v2.0/ports?limit=100",
    }


_PATHS_OF_ADMINS = {
    "all_projects_1000": f"{_SERVERS}?limit=1000&all_tenants=1",
    "all_projects_detail_1000": f"{_SERVERS}/detail?limit=1000&all_tenants=1",
    "of_a_host": f"{_SERVERS}/detail?limit=100&all_tenants=1&host=host-00042",
    "hypervisors_1000": "/compute/v2.1/os-hypervisors/detail?limit=1000",
    "hypervisors_100": "/compute/v2.1/os-hypervisors?limit=100",
    "services": "/compute/v2.1/os-services",
    "providers_of_placement": "/placement/resource_providers?name=host-00042",
}


def _read(here: Stage, client: Client, path: str) -> dict[str, Any]:
    def one(_: object = None) -> float:
        began = time.perf_counter()
        answer = client.call("GET", path)
        assert answer.status == 200, (path, answer)
        return time.perf_counter() - began

    one()
    alone = sorted(one() for _ in range(_ALONE))
    cpu, began = here.cpu_seconds(), time.perf_counter()
    requests = max(_LEAST, int(_SECONDS / alone[len(alone) // 2]))
    with ThreadPoolExecutor(_READERS) as pool:
        times = list(pool.map(one, range(requests)))
    wall, used = time.perf_counter() - began, here.cpu_seconds() - cpu
    return {
        "alone_ms": milliseconds(alone[len(alone) // 2]), **quantiles(times),
        "requests_per_second": round(requests / wall, 1), "cpu_ms_per_request": milliseconds(used / requests),
    }
