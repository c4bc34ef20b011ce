"""A made-up trace: a few server types, arrivals at a steady rate, short lives for most and long ones for some."""

import numpy as np

from scheduler.simulation.trace import Arrival, ServerType, Trace

# Cores, memory and disk in 64ths of a machine, and how often the type is asked for. Lean, even and fat in memory.
_TYPES = {
    "lean-1": (1, 0.5, 1, 20), "lean-4": (4, 2, 4, 8), "lean-16": (16, 8, 16, 2),
    "even-1": (1, 1, 1, 25), "even-4": (4, 4, 4, 12), "even-16": (16, 16, 16, 4), "even-32": (32, 32, 32, 1),
    "fat-2": (2, 4, 2, 15), "fat-8": (8, 16, 8, 8), "fat-16": (16, 32, 16, 3),
}  # fmt: skip
_SHORT_DAYS, _LONG_DAYS, _LONG_SHARE = 0.1, 20.0, 0.3


def generate(servers: int, days: float, seed: int) -> Trace:
    """Return a trace; the same arguments give the same one. Lives that pass the last day have no end."""
    rng = np.random.default_rng(seed)
    names = list(_TYPES)
    often = np.array([_TYPES[name][3] for name in names], dtype=np.float64)
    chosen = rng.choice(len(names), size=servers, p=often / often.sum())
    starts = np.sort(rng.random(servers)) * days
    means = np.where(rng.random(servers) < _LONG_SHARE, _LONG_DAYS, _SHORT_DAYS)
    ends = starts + rng.exponential(means)
    arrivals = tuple(
        Arrival(
            str(number),
            names[chosen[number]],
            float(starts[number]),
            float(ends[number]) if ends[number] < days else None,
        )
        for number in range(servers)
    )
    types = {name: ServerType(*(part / 64 for part in row[:3])) for name, row in _TYPES.items()}
    return Trace(types, arrivals)
