"""The product's Python files, read once and parsed once, for tests that judge the shape of the code."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("contracts", "scheduler", "compute_agent", "cloud", "host", "bench")
_GENERATED = {"migrations", "__pycache__"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A file: where it lies in the project, its lines and its syntax tree."""

    path: str
    lines: int
    tree: ast.Module

    def classes(self) -> Iterator[ast.ClassDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node

    def functions(self) -> Iterator[Function]:
        for node in ast.walk(self.tree):
            if isinstance(node, Function):
                yield node

    def calls(self) -> Iterator[ast.Call]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node


@cache
def sources(*packages: str) -> tuple[Source, ...]:
    """Return every file of the packages, generated ones left out; of all packages when none is named."""
    return tuple(_read(path) for package in packages or PACKAGES for path in _files(ROOT / package))


def body_lines(function: Function) -> int:
    """Count the lines of a function's body, without signature and docstring."""
    body = function.body
    if (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        body = body[1:]
    return 0 if not body else (body[-1].end_lineno or 0) - body[0].lineno + 1


def class_lines(node: ast.ClassDef) -> int:
    """Count the lines of a class."""
    return (node.end_lineno or 0) - node.lineno + 1


def called_name(call: ast.Call) -> str:
    """Return the last part of what is called: `get` of `a.b.get()`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def keywords(call: ast.Call) -> set[str]:
    """Return the names of the call's keyword arguments; '**' for a mapping of them."""
    return {keyword.arg or "**" for keyword in call.keywords}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if not _GENERATED & set(path.relative_to(ROOT).parts))


def _read(path: Path) -> Source:
    text = path.read_text()
    return Source(str(path.relative_to(ROOT)), text.count("\n"), ast.parse(text))
