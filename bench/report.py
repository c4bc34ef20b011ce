"""Figures as a table and as JSON, and beside an earlier run as a ratio."""

import json
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def milliseconds(seconds: float) -> float:
    """Return a time as a person reads it."""
    return round(seconds * 1000, 2)


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile of times, in milliseconds."""
    ordered = sorted(seconds)
    last = min(int(len(ordered) * 0.99), len(ordered) - 1)
    return {"p50_ms": milliseconds(statistics.median(ordered)), "p99_ms": milliseconds(ordered[last])}


def median_of(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure over several runs that measured the same."""
    first = runs[0]
    return {
        name: median_of([run[name] for run in runs]) if isinstance(value, Mapping)
        else _median([run[name] for run in runs])
        for name, value in first.items()
    }  # fmt: skip


def _median(values: Sequence[Any]) -> Any:
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return round(statistics.median(values), 4) if is_number else values[0]


def circumstances() -> dict[str, Any]:
    """Return what else decides a figure: the machine and how busy it was."""
    return {
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()), "cores": os.cpu_count(),
        "load_average": [round(one, 2) for one in os.getloadavg()],
    }  # fmt: skip


def save(name: str, figures: Mapping[str, Any]) -> Path:
    """Keep figures under a name."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(figures, indent=1) + "\n")
    return path


def is_kept(name: str) -> bool:
    """Tell whether figures were kept under a name."""
    return (RESULTS / f"{name}.json").exists()


def load(name: str) -> dict[str, Any]:
    """Return figures that were kept under a name."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return found


def print_table(figures: Mapping[str, Any], baseline: Mapping[str, Any] | None = None) -> None:
    """Print a line for each thing measured; with a baseline also how many times its earlier figure each is."""
    for path, values in _lines(figures):
        before = _at(baseline or {}, path)
        words = (f"{name} {value}{_beside(value, before.get(name))}" for name, value in values.items())
        print(f"{'.'.join(path):<36} {'  '.join(words)}")


def _beside(value: Any, before: Any) -> str:
    if not isinstance(before, int | float) or not isinstance(value, int | float) or not before:
        return ""
    return f" ({value / before:.2f}x)"


def _lines(figures: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    plain = {name: value for name, value in figures.items() if not isinstance(value, Mapping)}
    if plain:
        yield path, plain
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _lines(value, (*path, name))


def _at(figures: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    for name in path:
        figures = figures.get(name, {})
    return figures
