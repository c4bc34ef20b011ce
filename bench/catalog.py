"""The benchmarks by name. Each returns its figures, units in their names."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bench import cloud, reads, scheduler_bench

BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "cloud": cloud.run,
    "reads-sqlite": partial(reads.measure, "sqlite"),
    "reads-postgresql": partial(reads.measure, "postgresql"),
    "scheduler": scheduler_bench.run,
}
