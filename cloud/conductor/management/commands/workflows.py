"""`manage.py workflows`: every workflow as a page of Markdown, drawn from the graphs that the code obeys."""

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from django.core.management.base import BaseCommand

from cloud.compute.services.graphs import GRAPHS, RELEASES, SELECT, PlannedStep
from cloud.conductor.steps import failing
from cloud.core import rpc
from contracts.compute import COMMANDS

_HEAD = """# Workflows

Made by `python manage.py workflows > docs/workflows.md` from `cloud/compute/services/graphs.py`, the launchers and the
failure paths that the conductor registers; a test compares the two.

Each workflow is a graph of steps, kept as rows. A step is sent again when nothing was heard of it for a while, with
growing pauses, and fails at its deadline. Dotted lines are what happens when any step before the last one fails: the
failure path ends the operation, or lets it go on as its next attempt.
"""


class Command(BaseCommand):
    help = "Print docs/workflows.md: every workflow with its steps, its timing and its way back."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(page(), ending="")


def page() -> str:
    """Return the page."""
    parts = [_HEAD, *(part for workflow in GRAPHS for part in _chapter(workflow))]
    return "\n".join(parts)


def _chapter(workflow: str) -> Iterator[str]:
    path = failing.paths()[workflow]
    yield f"## {workflow}\n"
    yield _told(rpc.workflows()[workflow]) + "\n"
    yield from _picture(workflow, path)
    yield "| step | after | where | order | deadline | sent again after |\n|---|---|---|---|---|---|"
    yield from map(_row, GRAPHS[workflow])
    yield f"\nFailure (`{path.run.__name__}`): {_told(path.run)}"
    if path.goes_on_as:
        yield f"It may go on as {' or '.join(f'`{name}`' for name in path.goes_on_as)}."
    if RELEASES[workflow] > 1:
        yield f"Hosts of releases before {RELEASES[workflow]} are not given this workflow."
    yield ""


def _told(function: Any) -> str:
    """Return what a function promises in its first paragraph, on one line."""
    return " ".join(cleandoc(function.__doc__ or "").split("\n\n")[0].split())


def _picture(workflow: str, path: failing.FailurePath) -> Iterator[str]:
    yield "```mermaid\nflowchart LR"
    yield from _graph(workflow)
    last = GRAPHS[workflow][-1].name
    yield f'    {workflow}_fails{{{{"{path.run.__name__}"}}}}'
    for step in GRAPHS[workflow]:
        if step.name != last:
            yield f"    {workflow}_{step.name} -.-> {workflow}_fails"
    for other in path.goes_on_as:
        if other != workflow:
            yield f"    subgraph {other}\n    direction LR"
            yield from _graph(other)
            yield "    end"
        yield f"    {workflow}_fails -. next attempt .-> {other}_{GRAPHS[other][0].name}"
    yield "```\n"


def _graph(workflow: str) -> Iterator[str]:
    for step in GRAPHS[workflow]:
        yield f'    {workflow}_{step.name}["{step.name}<br>{_where(step)}"]'
        for before in step.after:
            yield f"    {workflow}_{before} --> {workflow}_{step.name}"


def _where(step: PlannedStep) -> str:
    if step.order:
        return "host, slow lane" if COMMANDS[step.order].is_slow_lane else "host"
    return "scheduler" if step.name == SELECT else "conductor"


def _row(step: PlannedStep) -> str:
    timing = step.timing
    cells = (
        step.name, ", ".join(step.after) or "the beginning", _where(step), f"`{step.order}`" if step.order else "",
        f"{timing.deadline_seconds:g} s", f"{timing.resend_seconds:g} s",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"
