"""The benchmarks by name. Each returns its figures, units in their names."""

from collections.abc import Callable
from functools import partial
from typing import Any

from bench import addresses, agents, claims, cloud, creators, floor, networks, reads, scheduler_bench, startup
from bench.stage import DATABASES


def _guest() -> dict[str, Any]:
    from bench import guest  # noqa: PLC0415 - the others do without libvirt

    return guest.measure()


BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "startup": startup.run,
    "cloud": cloud.run,
    "cloud-postgresql": cloud.run_on_postgresql,
    "creators": creators.measure,
    "floor": floor.measure,
    "guest": _guest,
    "reads-sqlite": partial(reads.measure, "sqlite"),
    "reads-postgresql": partial(reads.measure, "postgresql"),
    **{f"agents-{size}": partial(agents.measure, size) for size in agents.SIZES},
    **{f"addresses-{database}": partial(addresses.measure, database) for database in DATABASES},
    **{f"networks-{database}": partial(networks.measure, database) for database in DATABASES},
    "claims": claims.measure,
    "scheduler": scheduler_bench.run,
}
