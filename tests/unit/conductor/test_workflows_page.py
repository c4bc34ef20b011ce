"""The page about workflows is drawn from the graphs that the code obeys."""

from pathlib import Path

from cloud.compute.services.graphs import GRAPHS
from cloud.conductor.management.commands.workflows import page
from cloud.conductor.steps import failing
from cloud.core import rpc
from cloud.networks.services import changes

PAGE = Path(__file__).resolve().parents[3] / "docs" / "workflows.md"


def test_the_page_is_current():
    assert PAGE.read_text() == page(), "run: python manage.py workflows > docs/workflows.md"


def test_every_graph_has_a_launcher_and_a_failure_path():
    assert set(GRAPHS) == set(rpc.workflows()) - {changes.TELL} == set(failing.paths())
    assert all(set(path.goes_on_as) <= set(GRAPHS) for path in failing.paths().values())


def test_every_step_follows_steps_of_its_own_graph_that_come_before_it():
    for graph in GRAPHS.values():
        names = [step.name for step in graph]
        assert len(set(names)) == len(names)
        assert all(names.index(before) < place for place, step in enumerate(graph) for before in step.after)
