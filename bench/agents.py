"""What thousands of idle hosts cost Redis and the control plane, and how soon all is calm after they all come back.

Redis, PostgreSQL and one conductor are real; the agents are what these see of agents (bench.simulated_agents).
"""

import json
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import psycopg

from bench.report import milliseconds
from bench.simulated_agents import CLOCK_SECONDS
from bench.stage import Stage, cpu_of, stage
from contracts.routing import INBOUND_QUEUE, REPORTS_QUEUE

SIZES = (1_000, 10_000)
_SETTLE_SECONDS = 75.0
_CONNECT_SECONDS = 120.0
_SECONDS = 30.0
_PATIENCE_SECONDS = 180.0
_GUESTS = 5
# Everybody else who speaks to Redis; the test's Redis takes 10,000 connections by itself.
_OTHERS = 500
_UNHEARD = """
    SELECT (SELECT count(*) FROM compute_service WHERE "binary" = 'nova-compute' AND reported_at < %(since)s)
    + (SELECT count(*) FROM compute_computenode WHERE residue_at IS NULL OR residue_at < to_timestamp(%(since)s))
"""


def measure(hosts: int) -> dict[str, Any]:
    """Return the figures for a number of hosts."""
    with stage("postgresql") as here:
        here.run("-m", "bench.seeding", str(hosts), str(hosts * _GUESTS))
        with closing(here.redis()) as redis:
            redis.config_set("maxclients", hosts + _OTHERS)
        credential = str(here.folder / "credential")
        here.run("manage.py", "host_enroll", "bench", "--hosts", "host-*", "--file", credential)
        conductor = here.start("-m", "cloud.conductor", NOVELLA_LOG_LEVEL="ERROR")
        agents = here.start("-m", "bench.simulated_agents", str(hosts), here.redis_url, credential, _guests(here))
        try:
            agents.stdout.readline()  # type: ignore[union-attr]
            _await_connections(here, hosts)
            time.sleep(_SETTLE_SECONDS)
            idle = _cost(here, conductor.pid, hosts)
            return {**idle, **_come_back(here, agents)}
        finally:
            for one in (agents, conductor):
                one.terminate()
                one.wait(20)


def _await_connections(here: Stage, hosts: int) -> None:
    began = time.perf_counter()
    with closing(here.redis()) as redis:
        while redis.info("clients")["blocked_clients"] < hosts:
            assert time.perf_counter() - began < _CONNECT_SECONDS, "the agents do not come to wait for orders"
            time.sleep(0.5)


def _guests(here: Stage) -> str:
    """Return the file that says which guests each host has."""
    named = defaultdict(list)
    for host, uuid in _ask(here, "SELECT host, uuid FROM compute_instance WHERE NOT deleted ORDER BY uuid"):
        named[host].append(str(uuid))
    path = here.folder / "guests"
    Path(path).write_text(json.dumps(named))
    return str(path)


def _ask(here: Stage, query: str, **values: Any) -> list[Any]:
    with psycopg.connect(here.environment["DATABASE_URL"]) as connection:
        return connection.execute(query, values).fetchall()


def _cost(here: Stage, conductor: int, hosts: int) -> dict[str, Any]:
    """Return the CPU that everybody takes while nothing happens, in percent of a core, and what waits unheard.

    On a machine that is too busy agents say less than they should: `on_time_percent`. What Redis takes is then what a
    command costs it, times what it would be asked.
    """
    families = {"redis": [here.redis_process], "conductor": _family(conductor), "postgresql": here.postgres_processes()}
    with closing(here.redis()) as redis:
        commands, looks = redis.info("stats")["total_commands_processed"], _looks(redis)
        before, began = {name: _cpu(family) for name, family in families.items()}, time.perf_counter()
        time.sleep(_SECONDS)
        wall = time.perf_counter() - began
        commands, looks = redis.info("stats")["total_commands_processed"] - commands, _looks(redis) - looks
        waiting = _unheard(redis)
    used = {name: _cpu(family) - before[name] for name, family in families.items()}
    return {
        **{f"{name}_percent_of_a_core": round(100 * seconds / wall, 1) for name, seconds in used.items()},
        "conductor_cpu_ms_per_host_and_minute": milliseconds(used["conductor"] / wall * 60 / hosts),
        "redis_commands_per_second": round(commands / wall), "unheard_messages": waiting,
        "redis_us_per_command": round(used["redis"] / commands * 1e6, 1),
        "on_time_percent": round(100 * looks / (hosts * wall / CLOCK_SECONDS), 1),
    }  # fmt: skip


def _looks(redis: Any) -> int:
    """Return how often somebody asked for the time: every agent does, by the clock, and nobody else."""
    return int(redis.info("commandstats").get("cmdstat_time", {}).get("calls", 0))


def _come_back(here: Stage, agents: Any) -> dict[str, Any]:
    """Let all agents connect anew at once; return how long it takes until all that they say then is written."""
    with closing(here.redis()) as redis:
        since = time.time()
        agents.stdin.write("\n")
        agents.stdin.flush()
        began, longest = time.perf_counter(), 0
        broken = int(agents.stdout.readline())
        while time.perf_counter() - began < _PATIENCE_SECONDS:
            longest = max(longest, length := _unheard(redis))
            if length <= 10 and not _ask(here, _UNHEARD, since=since)[0][0]:
                break
            time.sleep(0.2)
    steady = round(time.perf_counter() - began, 1)
    return {"steady_after_seconds": steady, "longest_queue": longest, "broken_connections": broken}


def _unheard(redis: Any) -> int:
    return sum(redis.llen(queue) for queue in (INBOUND_QUEUE, REPORTS_QUEUE))


def _family(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _cpu(family: list[psutil.Process]) -> float:
    return sum(cpu_of(one) for one in family)
