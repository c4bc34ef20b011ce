"""Documents name commands that there are."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from cloud.conductor.doctor.mendings import MENDINGS

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
MAKE = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_commands_that_a_document_names_are_there(path):
    text = path.read_text()
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= get_commands().keys()
    assert set(re.findall(r"server_mend [A-Z]+ ([a-z-]+)", text)) <= MENDINGS.keys()
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= MAKE


def test_links_between_documents_lead_somewhere():
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
