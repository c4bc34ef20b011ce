"""How quickly hosts are chosen.

One request asks every filter something and has a server group of twenty members; its decisions are timed one by
one, then one request for a thousand servers. Nothing but the core is measured: no broker, no database.
"""

import resource
import statistics
import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from contracts.scheduling import HostState, RequestSpec
from scheduler.core.pipeline import select_destinations
from scheduler.core.table import HostTable

SIZES = (1_000, 10_000, 100_000)
BATCH = 1_000
SECONDS = 3.0
LEAST_DECISIONS = 200
ALTERNATES = 2


@dataclass(frozen=True)
class Figures:
    """What was measured for one number of hosts."""

    hosts: int
    fill_seconds: float
    decisions_per_second: float
    p50_ms: float
    p99_ms: float
    batch_servers: int
    batch_ms: float
    batch_placed: int
    process_mib: float


def make_table(hosts: int) -> HostTable:
    """Return a table of unlike hosts in four zones, partly filled, some down or disabled."""
    rng = np.random.default_rng(hosts)
    table = HostTable()
    used = rng.random(hosts) * 0.7
    for number in range(hosts):
        table.upsert(
            HostState(
                host=f"host-{number}",
                generation=1,
                is_enabled=number % 50 != 0,
                is_up=number % 33 != 0,
                availability_zone=f"zone-{number % 4}",
                vcpus=256,
                vcpus_used=int(256 * used[number]),
                memory_mb=524_288,
                memory_mb_used=int(524_288 * used[number]),
                disk_gb=4_000,
                disk_gb_used=int(4_000 * used[number]),
                traits=["HW_CPU_X86_AVX2", "HW_CPU_X86_VMX", f"CUSTOM_RACK_{number % 40}"],
            )
        )
    return table


def make_request(hosts: int, policy: str) -> RequestSpec:
    """Return a request that asks every filter but those that leave one host, with a group of twenty members."""
    names = [f"host-{number}" for number in range(0, hosts, hosts // 20)]
    return RequestSpec(
        vcpus=2,
        memory_mb=4_096,
        disk_gb=20,
        availability_zone="zone-1" if policy == "anti-affinity" else "",
        group_policy=policy,
        group_hosts=names,
        image_properties={"architecture": "x86_64", "hypervisor_type": "qemu", "vm_mode": "hvm"},
        required_traits=["HW_CPU_X86_AVX2"],
        ignore_hosts=["host-5"],
        different_hosts=["host-9"],
    )


def measure(hosts: int) -> Figures:
    """Fill a table and decide, again and again, for some seconds."""
    began = time.perf_counter()
    table = make_table(hosts)
    fill_seconds = time.perf_counter() - began
    rng = np.random.default_rng(1)

    request = make_request(hosts, "anti-affinity")
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times) < LEAST_DECISIONS:
        began = time.perf_counter()
        select_destinations(table, request, 1, ALTERNATES, rng)
        times.append(time.perf_counter() - began)

    batch = make_request(hosts, "soft-anti-affinity")
    began = time.perf_counter()
    selected = select_destinations(table, batch, BATCH, ALTERNATES, rng)
    batch_seconds = time.perf_counter() - began

    return Figures(
        hosts=hosts,
        fill_seconds=round(fill_seconds, 3),
        decisions_per_second=round(len(times) / sum(times), 1),
        p50_ms=round(statistics.median(times) * 1000, 3),
        p99_ms=round(float(np.quantile(times, 0.99)) * 1000, 3),
        batch_servers=BATCH,
        batch_ms=round(batch_seconds * 1000, 1),
        batch_placed=sum(1 for chosen in selected.hosts if chosen),
        process_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def run() -> dict[str, Any]:
    """Measure each number of hosts."""
    return {f"hosts_{hosts}": asdict(measure(hosts)) for hosts in SIZES}
