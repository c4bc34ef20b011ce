"""The table of `make chaos` counts what its pieces printed, and fails with any of them."""

from tests.chaos import summary

SAMPLE = """
seed 3,  1 of 60: fake, rebuild, prepare_image: agent is killed before the effect: ACTIVE after 10.4 s
.
seed 3, 41 of 60: libvirt, start, finish: libvirtd is killed after the record: ACTIVE after 0.2 s
.
2 passed in 204.62s (0:03:24)
"""
RECOVERY = """
recovery after kill -9 of api: the first of 12 operations under way went on after 6.9 s, the last after 7.1 s, \
a new server was ACTIVE after 14.4 s (load 11.5)
.
1 passed in 24.62s
"""


def _piece(folder, name, text, status=0):
    (folder / f"{name}.txt").write_text(text)
    (folder / f"{name}.end").write_text(f"{status} 12")


def test_it_counts_what_was_killed_and_how_soon_work_went_on(tmp_path, capsys):
    _piece(tmp_path, "sample", SAMPLE)
    _piece(tmp_path, "recovery", RECOVERY)
    assert summary.main(tmp_path) == 0
    text = capsys.readouterr().out
    assert "2 passed" in text
    assert "kill -9 on fake hosts: 1 cases, settled after 10.4 s, at most 10.4 s" in text
    assert "kill -9 on libvirt hosts: 1 cases" in text
    assert "recovery of api" in text
    assert "recovery: 14.4 s at most" in text
    assert "chaos: 2 pieces, 0 failed" in text


def test_a_piece_that_failed_or_ran_out_of_time_fails_the_whole(tmp_path, capsys):
    _piece(tmp_path, "matrix", "matrix: seed 7, 3 of 3 cases, 1 failed, 200 ms a case, 1 s\n", 1)
    _piece(tmp_path, "soak", "", 124)
    assert summary.main(tmp_path) == 1
    text = capsys.readouterr().out
    assert "3 of 3 cases, 1 failed" in text
    assert "OUT OF TIME" in text
    assert "2 failed: matrix, soak" in text


def test_nothing_run_is_nothing_proved(tmp_path):
    assert summary.main(tmp_path) == 1
