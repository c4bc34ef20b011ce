"""A matrix that was cut off goes on with the scenarios that lack, and believes only what was told of the same cases."""

from tests.chaos.kept import Kept

TOLD = [("baseline", "stop", {("stop", "power")}), ("count", "stop", 2, 1), ("stop/1.agent/killed", [], 0.2)]
FAILED = [*TOLD[:2], ("stop/1.agent/killed", ["server 1 is active/powering-off"], 0.2)]


def _run(kept, told):
    heard = []
    kept.keeping(lambda name, tell: [tell(one) for one in told])("stop", heard.append)
    assert heard == told


def test_what_came_to_its_end_is_told_again(tmp_path):
    assert Kept(tmp_path, (7, 1.0)).told("stop") == []
    _run(Kept(tmp_path, (7, 1.0)), TOLD)
    assert Kept(tmp_path, (7, 1.0)).told("stop") == TOLD


def test_another_choice_of_cases_is_run_anew(tmp_path):
    _run(Kept(tmp_path, (7, 1.0)), TOLD)
    assert Kept(tmp_path, (8, 1.0)).told("stop") == []


def test_what_failed_is_run_anew(tmp_path):
    _run(Kept(tmp_path, (7, 1.0)), FAILED)
    assert Kept(tmp_path, (7, 1.0)).told("stop") == []
