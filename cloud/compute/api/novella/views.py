"""Decisions of the scheduler as clients see them: owners see numbers and flavors, administrators the hosts as well."""

from typing import Any

from cloud.compute.models import Flavor
from cloud.compute.reasons import PHRASES, Candidate, Decision, Miss
from cloud.compute.services.placement_reports import Explained
from cloud.core import policy
from cloud.core.context import RequestContext


def sees_hosts(context: RequestContext) -> bool:
    """Tell whether the names of hosts are for this reader."""
    return policy.allows(context, "novella:hosts")


def decision(context: RequestContext, explained: Explained) -> dict[str, Any]:
    """Return a decision, with the flavors that would have fitted."""
    one = explained.decision
    view: dict[str, Any] = {
        "attempt": one.attempt,
        "placed": one.is_placed,
        "hosts_total": one.hosts_total,
        "filters": [
            {"name": row.name, "hosts_in": row.hosts_in, "hosts_out": row.hosts_out,
             "keeps_hosts": PHRASES.get(row.name, "")}
            for row in one.filters
        ],
        "fitting_flavors": [_flavor(flavor) for flavor in explained.flavors],
    }  # fmt: skip
    return view | _hosts(one) if sees_hosts(context) else view


def _hosts(one: Decision) -> dict[str, Any]:
    return {
        "hosts": [_candidate(candidate) for candidate in one.candidates],
        "nearest_miss": one.sentence,
        "near_misses": [_near_miss(miss) for miss in one.near_misses],
        "largest_room": [
            {"vcpus": room.vcpus, "ram": room.memory_mb, "disk": room.disk_gb} for room in one.room
        ],
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    return {"host": one.host, "score": one.score, "weights": dict(one.weights)}


def _near_miss(one: Miss) -> dict[str, Any]:
    return {
        "filter": one.filter,
        "hosts": one.hosts,
        "rules_failed": one.fails,
        "why": one.complaint,
        "unit": one.unit,
        "nearest": [{"host": host, "short_by": lack} for host, lack in one.nearest_hosts],
    }


def _flavor(one: Flavor) -> dict[str, Any]:
    return {"id": one.flavorid, "name": one.name, "vcpus": one.vcpus, "ram": one.memory_mb, "disk": one.disk_gb}
