"""The benchmarks by name. Each returns its figures, units in their names."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bench import agents, claims, cloud, creators, reads, scheduler_bench

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "cloud": cloud.run,
    "creators": creators.measure,
    "reads-sqlite": partial(reads.measure, "sqlite"),
    "reads-postgresql": partial(reads.measure, "postgresql"),
    **{f"agents-{size}": partial(agents.measure, size) for size in agents.SIZES},
    "claims": claims.measure,
    "scheduler": scheduler_bench.run,
}
