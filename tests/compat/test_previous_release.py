"""While a cloud is brought up to date, its control plane speaks with agents of the release before, and back.

The release before is a commit, named in `contracts/PREVIOUS_RELEASE`. It is checked out beside this one, with an
environment of its own requirements, if they are others. Then the workflow tests of one release run with agents of the
other.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(1500)

CHECKOUT = Path(__file__).resolve().parents[2]
COMMIT = (CHECKOUT / "contracts" / "PREVIOUS_RELEASE").read_text().strip()
# Of both releases: what the older one knows.
TESTS = "tests/functional/conductor/test_workflows.py"
KNOWN_TO_BOTH = tuple(f"{TESTS}::{name}" for name in (
    "test_a_server_is_built_stopped_started_rebooted_and_deleted", "test_a_rebuilt_server_runs_or_is_off_as_it_was",
    "test_a_rebuild_that_fails_says_so", "test_a_server_is_deleted_while_its_new_image_is_fetched",
    "test_a_request_for_many_spreads_them_and_each_counts", "test_a_host_that_fails_is_left_for_another",
))  # fmt: skip
# Of this control plane alone, with older agents.
WITH_OLDER = ("tests/functional/conductor/with_older_agents.py",)
# pytest, with another interpreter for the processes that it starts.
_PYTEST = "import sys; sys.executable = sys.argv.pop(1); import pytest; sys.exit(pytest.main(sys.argv[1:]))"
_INTERPRETER = """#!/bin/sh
# Agents come from another checkout than everything else.
case "$*" in
"-m compute_agent"* | *poisoned_agent.py) echo >> "{started}"; cd "{agents}" && exec "{agents_python}" "$@" ;;
*) exec "{python}" "$@" ;;
esac
"""


@pytest.fixture(scope="module")
def previous(tmp_path_factory):
    """The checkout of the previous release and its interpreter."""
    folder = tmp_path_factory.mktemp("release") / "previous"
    _run(["git", "worktree", "add", "--quiet", "--detach", str(folder), COMMIT], CHECKOUT)
    try:
        yield folder, _interpreter(folder)
    finally:
        _run(["git", "worktree", "remove", "--force", str(folder)], CHECKOUT)


def _interpreter(folder):
    """Return the interpreter of an environment that has what a checkout requires."""
    if (folder / "requirements.txt").read_text() == (CHECKOUT / "requirements.txt").read_text():
        return Path(sys.executable)
    _run(["host/venv.sh", sys.executable, str(folder / ".venv")], folder)
    return folder / ".venv" / "bin" / "python"


def _run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"


def _workflows(control, agents, tmp_path, tests=KNOWN_TO_BOTH):
    """Run tests of one checkout with agents of another; return what pytest printed."""
    (folder, python), (agents_folder, agents_python) = control, agents
    interpreter = tmp_path / "python"
    started = tmp_path / "started"
    interpreter.write_text(
        _INTERPRETER.format(agents=agents_folder, agents_python=agents_python, python=python, started=started)
    )
    interpreter.chmod(0o755)
    done = subprocess.run(
        [str(python), "-c", _PYTEST, str(interpreter), "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests],
        cwd=folder, capture_output=True, text=True, check=False, timeout=1200,
        env={**os.environ, "NOVELLA_STATE_DIR": str(tmp_path / "state"), "NOVELLA_ACCEPT_UNSIGNED": "1"},
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    assert started.exists(), "no agent of the other checkout was started"
    return done.stdout


def test_this_control_plane_works_with_agents_of_the_previous_release(previous, tmp_path):
    printed = _workflows((CHECKOUT, Path(sys.executable)), previous, tmp_path)
    assert f"{len(KNOWN_TO_BOTH)} passed" in printed


def test_the_previous_control_plane_works_with_agents_of_this_release(previous, tmp_path):
    printed = _workflows(previous, (CHECKOUT, Path(sys.executable)), tmp_path)
    assert f"{len(KNOWN_TO_BOTH)} passed" in printed


def test_an_order_of_which_older_agents_die_ends_with_a_reason(previous, tmp_path):
    assert "1 passed" in _workflows((CHECKOUT, Path(sys.executable)), previous, tmp_path, WITH_OLDER)
