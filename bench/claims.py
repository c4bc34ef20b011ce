"""Committed claims a second on 5,000 hosts: one claimer and four, one by one and by eights, room and little room.

PostgreSQL waits for the disk with each commit, as in earnest. Each claim is decided by the scheduler's own core.
"""

import json
from typing import Any

from bench.report import milliseconds
from bench.stage import Stage, stage

_HOSTS = 5_000
_SECONDS = 5.0
# (name, claimers, servers in one transaction)
_CASES = (("one", 1, 1), ("four", 4, 1), ("one_by_eights", 1, 8), ("four_by_eights", 4, 8))


def measure(database: str = "postgresql", hosts: int = _HOSTS, seconds: float = _SECONDS) -> dict[str, Any]:
    """Return the figures of each case."""
    with stage(database, is_durable=True) as here:
        here.run("-m", "bench.seeding", str(hosts), "0")
        figures = {name: _case(here, claimers, batch, seconds) for name, claimers, batch in _CASES}
        here.run("manage.py", "shell", "-c", _LITTLE_ROOM)
        figures["four_for_the_last_places"] = _case(here, 4, 1, seconds)
        assert here.run("manage.py", "shell", "-v", "0", "-c", _OVERCOMMITTED).split() == ["0"]
        return figures


# Every host keeps two places.
_LITTLE_ROOM = """
from django.db.models import F
from cloud.placement.models import Inventory
Inventory.objects.filter(resource_class="VCPU").update(capacity=F("used") + 2)
"""
_OVERCOMMITTED = """
from django.db.models import F, Sum
from cloud.placement.models import Inventory, Allocation
print(Inventory.objects.filter(used__gt=F("capacity")).count())
"""


def _case(here: Stage, claimers: int, batch: int, seconds: float) -> dict[str, Any]:
    before = here.cpu_seconds()
    started = [here.start("-m", "bench.claimer", str(seconds), str(seed), str(batch)) for seed in range(claimers)]
    done = [json.loads(one.communicate()[0].splitlines()[-1]) for one in started]
    database = here.cpu_seconds() - before
    claims = sum(one["claims"] for one in done)
    conflicts = sum(one["conflicts"] for one in done)
    return {
        "claims_per_second": round(sum(one["claims"] / one["seconds"] for one in done), 1),
        "cpu_ms_per_claim": milliseconds(sum(one["cpu_seconds"] for one in done) / claims),
        "database_cpu_ms_per_claim": milliseconds(database / claims),
        "conflicts_percent": round(100 * conflicts / (claims + conflicts), 2),
        "given_up": sum(one["given_up"] for one in done),
    }
