"""Files and tests that a document names are there: a table of what is shown by what cannot rot."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = CHECKOUT / "docs" / "reliability.md"
CHAPTER = "## Clause by clause"
ROW = re.compile(r"^\| (?!---|workflow|of )(.*) \|$", re.MULTILINE)
# `folder/file.py::test_one`, and `::test_another` of the same file.
TEST = re.compile(r"`([\w/.-]*)::(\w+)`")
FILE = re.compile(r"`([\w.-]+/[\w/.-]+|pyproject\.toml)`")


def rows():
    return ROW.findall(PAGE.read_text().split(CHAPTER)[1])


@cache
def in_file(path):
    tree = ast.parse((CHECKOUT / path).read_text())
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")}


def named_tests(text):
    """Yield (file, test) for each test that a text names."""
    path = ""
    for found, name in TEST.findall(text):
        path = found or path
        yield path, name


def test_every_clause_has_a_place_and_a_test():
    assert len(rows()) > 50
    for row in rows():
        *_, place, shown = row.split(" | ")
        assert FILE.search(place), row
        assert list(named_tests(shown)), row


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[:40])
def test_what_a_clause_names_is_there(row):
    assert [path for path in FILE.findall(row) if not (CHECKOUT / path).exists()] == []
    assert [(path, name) for path, name in named_tests(row) if name not in in_file(path)] == []
