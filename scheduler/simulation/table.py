"""The figures of several strategies as one table."""

from collections.abc import Callable

from scheduler.simulation.claimed import Outcome
from scheduler.simulation.figures import Figures

_COLUMNS: tuple[tuple[str, int, Callable[[Figures], str]], ...] = (
    ("density", 8, lambda one: f"{one.density:.1%}"),
    ("empty", 8, lambda one: f"{one.empty_hosts:.1f}"),
    ("stranded vcpus", 15, lambda one: f"{one.stranded_vcpus:.1f}"),
    ("stranded MB", 12, lambda one: f"{one.stranded_memory_mb:.0f}"),
    ("refused", 8, lambda one: str(one.refused)),
    ("moves", 7, lambda one: str(one.moves)),
    ("vcpus/core", 11, lambda one: f"{one.vcpus_per_core:.2f}"),
    ("fullest", 8, lambda one: f"{one.fullest:.0f}"),
    ("burst", 6, lambda one: f"{one.burst:.1f}"),
)

_CLAIMED: tuple[tuple[str, int, Callable[[Outcome], str]], ...] = (
    ("placed", 8, lambda one: str(one.placed)),
    ("refused", 8, lambda one: str(one.refused)),
    ("claims refused", 15, lambda one: str(one.refusals)),
    ("decided again", 14, lambda one: str(one.again)),
    ("overcommitted", 14, lambda one: str(one.overcommitted)),
    ("claims/s", 9, lambda one: f"{(one.placed + one.refusals) / max(one.seconds, 1e-9):.0f}"),
)

HEAD_OF_CLAIMED = f"{'strategy':<16}" + "".join(f" {name:>{width}}" for name, width, _ in _CLAIMED)
HEAD = f"{'strategy':<16}" + "".join(f" {name:>{width}}" for name, width, _ in _COLUMNS)


def line(strategy: str, figures: Figures) -> str:
    """Return a strategy's line."""
    return f"{strategy:<16}" + "".join(f" {shown(figures):>{width}}" for _, width, shown in _COLUMNS)


def line_of_claimed(strategy: str, outcome: Outcome) -> str:
    """Return a strategy's line, where claims were made."""
    return f"{strategy:<16}" + "".join(f" {shown(outcome):>{width}}" for _, width, shown in _CLAIMED)
