"""Pictures of simulations: well-formed, complete, within their frame, and with round numbers at the axes."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.simulation import trace_files
from scheduler.simulation.__main__ import main
from scheduler.simulation.charts import Chart, draw, ticks
from scheduler.simulation.generator import generate

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats(0, 1e12, allow_nan=False)


def test_a_picture_of_everything_and_one_of_each_figure(tmp_path: Path) -> None:
    trace_files.write_csv(generate(60, 1, 3), tmp_path)
    assert main(["--trace", str(tmp_path), "--hosts", "5", "--plots", str(tmp_path / "p")]) == 0
    names = {path.stem for path in (tmp_path / "p").glob("*.svg")}
    assert names >= {"simulation", "density", "empty-hosts", "stranded-cores", "stranded-memory", "refused", "moves"}
    texts = [text.text for text in ET.parse(tmp_path / "p" / "simulation.svg").iter(f"{SVG}text")]  # noqa: S314 - our own
    assert {"spread-then-pack", "random", "Refused requests", "days"} <= set(texts)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace_files.write_csv(generate(5, 1, 3), tmp_path)
    assert main(["--trace", str(tmp_path), "--hosts", "5", "--plots", str(tmp_path / "vm.csv")]) == 2
    shown = capsys.readouterr()
    assert "vm.csv" in shown.err
    assert not shown.out, "before anything is simulated"


@given(numbers, numbers)
def test_ticks_are_few_and_hold_all_between_them(one: float, other: float) -> None:
    lowest, highest = sorted((one, other))
    found = ticks(lowest, highest)
    slack = 1e-6 * max(highest, 1)
    assert 2 <= len(found) <= 7
    assert found[0] <= lowest + slack
    assert found[-1] >= highest - slack


@given(st.lists(numbers, min_size=1, max_size=20))
def test_every_line_stays_within_its_chart(values: list[float]) -> None:
    lines = {"a": values, "<b> & c": values[::-1]}
    picture = ET.fromstring(draw([Chart("t", "u", lines)] * 2, list(range(len(values))), 2))  # noqa: S314 - our own
    width, height = map(float, picture.attrib["viewBox"].split()[2:])
    for line in picture.iter(f"{SVG}polyline"):
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
