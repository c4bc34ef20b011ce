"""The container files say what they must, judged by the tools of the trade where no engine runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "docker"
PROCESSES = {"api", "conductor", "scheduler", "beat", "agent", "flower", "postgres", "redis"}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.Dockerfile")), ids=lambda path: path.name)
def test_hadolint_finds_nothing(path):
    linter = Path(sys.prefix) / "bin" / "hadolint"
    done = subprocess.run([linter, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_accepts_the_file_and_knows_every_process(tmp_path):
    assert shutil.which("docker-compose"), "docker-compose is in packages-test.txt"
    shutil.copytree(FOLDER, tmp_path / "docker")
    shutil.copy(FOLDER / "example.env", tmp_path / "docker" / ".env")
    command = ["docker-compose", "-f", str(tmp_path / "docker" / "compose.yml"), "config", "--services"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= PROCESSES
