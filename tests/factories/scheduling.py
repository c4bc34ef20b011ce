"""Hosts, requests and tables for the scheduler's tests."""

from typing import Any

import numpy as np

from contracts.scheduling import HostState, RequestSpec, Selected
from scheduler.core.columns import Columns
from scheduler.core.pipeline import select_destinations
from scheduler.core.policies import DEFAULT, POLICIES, Policy
from scheduler.core.table import HostTable


def make_host(name: str = "a", **changes: Any) -> HostState:
    """Return a host that is up, empty and of a middling size."""
    values: dict[str, Any] = {"host": name, "generation": 1, "vcpus": 16, "memory_mb": 16384, "disk_gb": 200}
    return HostState(**{**values, **changes})


def make_request(**changes: Any) -> RequestSpec:
    """Return a request for a small server that any empty host can take."""
    return RequestSpec(**{"vcpus": 1, "memory_mb": 1024, "disk_gb": 10, **changes})


def make_table(*hosts: HostState) -> HostTable:
    """Return a table with these hosts; it begins so small that it must grow."""
    table = HostTable(capacity=2)
    for host in hosts:
        table.upsert(host)
    return table


def columns_of(table: HostTable, request: RequestSpec | None = None) -> Columns:
    """Return the table's hosts as a decision sees them."""
    return table.columns(request or make_request())


def choose(
    table: HostTable,
    request: RequestSpec,
    count: int = 1,
    alternates: int = 0,
    seed: int = 1,
    policy: Policy = POLICIES[DEFAULT],
) -> Selected:
    """Decide with a chance of our own."""
    return select_destinations(table, request, count, alternates, np.random.default_rng(seed), policy)


def first_choices(selected: Selected) -> list[str]:
    """Return the chosen host of each server, empty for none."""
    return [hosts[0] if hosts else "" for hosts in selected.hosts]
