"""Pictures of what the strategies did over time: one of everything, and one of each figure."""

from collections.abc import Callable, Mapping
from pathlib import Path

from scheduler.simulation.charts import Chart, draw
from scheduler.simulation.figures import Figures, Sample

_Plot = tuple[str, str, Callable[[Sample], float]]

# Name of the file -> title, unit, what is looked at.
_PLOTS: Mapping[str, _Plot] = {
    "density": ("Packing density", "% of the hosts that hold a server", lambda one: 100 * one.density),
    "empty-hosts": ("Empty hosts", "hosts", lambda one: one.empty_hosts),
    "stranded-cores": ("Stranded cores", "virtual CPUs that no type fits on", lambda one: one.stranded_vcpus),
    "stranded-memory": ("Stranded memory", "TiB that no type fits on", lambda one: one.stranded_memory_mb / 2**20),
    "refused": ("Refused requests", "servers until then", lambda one: one.count.refused),
    "moves": ("Moves", "live migrations until then", lambda one: one.count.moves),
    "vcpus-per-core": ("CPU overcommit", "virtual CPUs per core where one lives", lambda one: one.vcpus_per_core),
    "fullest-host": ("Fullest host", "servers", lambda one: one.count.fullest),
}
_TOGETHER, _COLUMNS = "simulation", 3
_IN_ALL = ("density", "empty-hosts", "refused", "stranded-cores", "stranded-memory", "moves")


def write(found: Mapping[str, Figures], folder: Path) -> list[Path]:
    """Write the pictures into a folder that is there; return their paths."""
    days = [one.day for one in next(iter(found.values())).samples]
    charts = {name: _chart(plot, found) for name, plot in _PLOTS.items()}
    pictures = {_TOGETHER: draw([charts[name] for name in _IN_ALL], days, _COLUMNS)}
    pictures |= {name: draw([chart], days, 1) for name, chart in charts.items()}
    paths = [folder / f"{name}.svg" for name in pictures]
    for path, picture in zip(paths, pictures.values(), strict=True):
        path.write_text(picture, encoding="utf-8")
    return paths


def _chart(plot: _Plot, found: Mapping[str, Figures]) -> Chart:
    title, unit, look = plot
    return Chart(title, unit, {name: [look(one) for one in figures.samples] for name, figures in found.items()})
