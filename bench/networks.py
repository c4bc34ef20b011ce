"""What networks cost in a cloud of 100 of them and 2,000 ports, and in one ten times as large: it shall be the same."""

import json
import os
from typing import Any

from bench import network_seeding
from bench.stage import Stage, stage

_CELLS = (1, 10)


def measure(database: str) -> dict[str, Any]:
    """Return the figures of both clouds, and how many times those of the small one the large one's are."""
    small, large = (_measure(database, cells) for cells in _CELLS)
    growth = {name: round(large[name]["p50_ms"] / small[name]["p50_ms"], 2) for name in small}
    return {**{_name(cells): figures for cells, figures in zip(_CELLS, (small, large), strict=True)}, "growth": growth}


def _name(cells: int) -> str:
    return f"{cells * network_seeding.NETWORKS}_networks_{cells * network_seeding.PORTS}_ports"


def _measure(database: str, cells: int) -> dict[str, Any]:
    with stage(database) as here:
        here.run("-m", "bench.network_seeding", str(cells))
        figures = _run(here, "bench.network_costs")
        if os.geteuid() == 0:
            figures |= {f"kernel_{name}": cost for name, cost in _run(here, "bench.network_kernel").items()}
        return figures


def _run(here: Stage, module: str) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(here.run("-m", module, str(here.folder)).splitlines()[-1])
    return figures
