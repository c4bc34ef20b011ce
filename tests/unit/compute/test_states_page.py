"""The page about states is the table that the code obeys."""

from pathlib import Path

from cloud.compute.management.commands.states import page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "states.md"


def test_the_page_is_current():
    assert PAGE.read_text() == page(), "run: python manage.py states > docs/states.md"
