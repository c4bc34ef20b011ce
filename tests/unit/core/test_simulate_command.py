"""`manage.py simulate` hands its options on and ends with the simulator's status."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def simulate(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does."""
    command = [sys.executable, "manage.py", "simulate", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)


def test_a_made_up_trace_is_replayed(tmp_path: Path) -> None:
    """One strategy of it."""
    assert simulate("--trace", str(tmp_path), "--generate", "50").returncode == 0
    done = simulate("--trace", str(tmp_path), "--hosts", "3", "--seed", "7", "--strategy", "pack")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].startswith("pack")


def test_bad_input_is_status_2(tmp_path: Path) -> None:
    """With a sentence, not a traceback."""
    done = simulate("--trace", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "there is no such file or folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert simulate("--trace", str(tmp_path), "--hosts", "0").returncode == 2
