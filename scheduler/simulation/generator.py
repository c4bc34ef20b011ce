"""A made-up trace: a few server types, arrivals at a steady rate, short lives for most and long ones for some."""

from collections.abc import Mapping

import numpy as np

from scheduler.simulation.trace import Arrival, ServerType, Trace

# Cores, memory and disk in 64ths of a machine. Lean types ask for more cores than memory, fat ones for less.
_TYPES = {
    "lean-1": (1, 0.5, 1), "lean-4": (4, 2, 4), "lean-16": (16, 8, 16),
    "even-1": (1, 1, 1), "even-4": (4, 4, 4), "even-16": (16, 16, 16), "even-32": (32, 32, 32),
    "fat-2": (2, 4, 2), "fat-8": (8, 16, 8), "fat-16": (16, 32, 16),
}  # fmt: skip
# How often each type is asked for, in the order above.
MIXES: Mapping[str, tuple[int, ...]] = {
    "mixed": (20, 8, 2, 25, 12, 4, 1, 15, 8, 3),
    "small": (30, 8, 0, 40, 8, 0, 0, 14, 0, 0),
    "large": (5, 8, 8, 5, 12, 16, 8, 5, 16, 17),
    "memory": (4, 2, 1, 12, 8, 3, 1, 36, 24, 9),
}
_SHORT_DAYS, _LONG_DAYS, _LONG_SHARE = 0.1, 20.0, 0.3


def generate(servers: int, days: float, seed: int, mix: str = "mixed") -> Trace:
    """Return a trace; the same arguments give the same one.

    As many are alive on the last day as on the first: those that are there when the trace begins come in the day
    before it. Lives that pass the last day have no end.
    """
    rng = np.random.default_rng(seed)
    lasting = _LONG_SHARE * _LONG_DAYS
    earlier = round(servers * lasting / (lasting + days))
    often = np.array(MIXES[mix], dtype=np.float64)
    chosen = rng.choice(len(_TYPES), size=servers, p=often / often.sum())
    starts = np.sort(np.concatenate([rng.random(earlier) - 1, rng.random(servers - earlier) * days]))
    is_long = (rng.random(servers) < _LONG_SHARE) | (starts < 0)
    ends = np.maximum(starts, 0) + rng.exponential(np.where(is_long, _LONG_DAYS, _SHORT_DAYS))
    names = list(_TYPES)
    arrivals = tuple(
        Arrival(str(number), names[chosen[number]], float(start), float(ends[number]) if ends[number] < days else None)
        for number, start in enumerate(starts)
    )
    types = {name: ServerType(*(part / 64 for part in row)) for name, row in _TYPES.items()}
    return Trace(types, arrivals)
