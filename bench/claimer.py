"""One of several that decide and claim: `python -m bench.claimer SECONDS SEED BATCH`, in the environment of a stage.

Each has a table of its own, as schedulers have, and hears nothing of the others: the database alone keeps them apart.
Prints what it did as JSON.
"""

import json
import sys
import time
import uuid
from dataclasses import dataclass
from typing import Any

import django
import numpy as np

from contracts.scheduling import RequestSpec
from scheduler.core.pipeline import select_destinations
from scheduler.core.table import HostTable

_ALTERNATES = 2
_SPEC = RequestSpec(vcpus=1, memory_mb=512, disk_gb=1)
_RESOURCES = {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1}


@dataclass
class Done:
    """What came of it."""

    claims: int = 0
    conflicts: int = 0
    given_up: int = 0
    transactions: int = 0


def claim_for(seconds: float, seed: int, batch: int) -> dict[str, Any]:
    """Decide and claim for so long, `batch` servers at a time."""
    table, rng, done = _table(), np.random.default_rng(seed), Done()
    _round(table, rng, batch, Done())
    began, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        _round(table, rng, batch, done)
    used = time.process_time() - cpu
    return {**vars(done), "seconds": time.perf_counter() - began, "cpu_seconds": used}


def _table() -> HostTable:
    from cloud.compute.services.host_states import host_states  # noqa: PLC0415 - Django must be set up

    table = HostTable()
    for state in host_states():
        table.upsert(state)
    return table


def _round(table: HostTable, rng: np.random.Generator, batch: int, done: Done) -> None:
    from cloud.placement.services.claims import Claim, claim_what_fits  # noqa: PLC0415

    selected = select_destinations(table, _SPEC, batch, _ALTERNATES, rng)
    waiting = {str(uuid.uuid4()): hosts for hosts in selected.hosts}
    done.given_up += sum(not hosts for hosts in waiting.values())
    waiting = {name: hosts for name, hosts in waiting.items() if hosts}
    while waiting:
        asked = [Claim(name, hosts[0], _RESOURCES, "p" * 32, "u" * 32) for name, hosts in waiting.items()]
        refused = {one.consumer_uuid for one in claim_what_fits(asked)}
        done.transactions += 1
        done.claims += len(asked) - len(refused)
        done.conflicts += len(refused)
        for hosts in waiting.values():
            table.promise(hosts[0], _SPEC)
        left = {name: hosts[1:] for name, hosts in waiting.items() if name in refused}
        done.given_up += sum(not hosts for hosts in left.values())
        waiting = {name: hosts for name, hosts in left.items() if hosts}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(claim_for(float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
