"""The import contracts of pyproject.toml are kept, and are able to break."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_import_contracts_are_kept():
    answer = lint_imports(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("scheduler/core/pipeline.py", "import socket", "scheduler.core does no I/O"),
        ("compute_agent/tasks.py", "import django", "The agent never sees Django"),
        ("contracts/routing.py", "import cloud", "Deployables meet only in contracts"),
        ("cloud/core/rpc.py", "import cloud.conductor", "the conductor stands above the domains"),
        ("compute_agent/operations/__init__.py", "import libvirt", "Only its driver touches libvirt"),
    ],
)
def test_a_bad_import_is_found(tmp_path: Path, module: str, line: str, contract: str):
    for package in ("contracts", "scheduler", "compute_agent", "cloud", "host"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a") as file:
        file.write(f"\n{line}\n")
    answer = lint_imports(tmp_path)
    assert answer.returncode != 0
    broken = [row for row in answer.stdout.splitlines() if row.endswith("BROKEN")]
    assert any(contract in row for row in broken), answer.stdout
