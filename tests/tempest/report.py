"""Judge a run of Tempest: usage report.py OUT EXPECTED_SKIPS. Writes OUT/results.csv and OUT/failures.txt.

A class that fails or is skipped as a whole yields one event for all its tests; each selected test gets a line anyway.
"""

import csv
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import subunit
from testtools import StreamToDict

VERDICTS = {"success": "passed", "xfail": "passed", "skip": "skipped"}
_CLASS_EVENT = re.compile(r"(setUpClass|tearDownClass) \((.*)\)")


def main(out: Path, expected_file: Path) -> int:
    """Print what failed and what was skipped against the intention; return the exit status."""
    events = _events(out / "results.subunit")
    rows = _rows(events, [_plain(line) for line in (out / "selected.txt").read_text().split()])
    with (out / "results.csv").open("w", newline="") as file:
        csv.writer(file).writerows((name, *row) for name, row in sorted(rows.items()))
    (out / "failures.txt").write_text("\n".join(
        f"{'=' * 100}\n{name}\n{_text(event)}" for name, event in events.items() if _verdict(event) == "failed"
    ))
    expected = [line.split("  ")[0] for line in expected_file.read_text().splitlines() if line and line[0] != "#"]
    wrong = []
    for name, (verdict, reason) in sorted(rows.items()):
        unintended = verdict == "skipped" and not any(
            re.search(pattern, f"{name}: {reason}") for pattern in expected
        )
        if verdict in ("failed", "not run") or unintended:
            wrong.append(name)
            print(f"{verdict.upper()}  {name}: {reason}")
    count = Counter(verdict for verdict, _ in rows.values())
    print(f"{count['passed']} passed, {count['failed'] + count['not run']} failed, {count['skipped']} skipped")
    return 1 if wrong else 0


def _plain(name: str) -> str:
    return re.sub(r"\[.*\]$", "", name)


def _events(path: Path) -> dict[str, dict[str, Any]]:
    found: list[dict[str, Any]] = []
    collector = StreamToDict(found.append)
    collector.startTestRun()
    with path.open("rb") as stream:
        subunit.ByteStreamToStreamResult(stream, non_subunit_name="noise").run(collector)
    collector.stopTestRun()
    return {_plain(event["id"]): event for event in found if event["status"] != "exists" and event["id"] != "noise"}


def _verdict(event: dict[str, Any]) -> str:
    return VERDICTS.get(event["status"], "failed")


def _text(event: dict[str, Any]) -> str:
    details = event["details"].items()
    return "\n".join(detail.as_text() for name, detail in details if name.startswith(("traceback", "reason")))


def _row(event: dict[str, Any]) -> tuple[str, str]:
    lines = _text(event).strip().splitlines()
    return _verdict(event), lines[-1].strip()[:300] if lines and event["status"] != "success" else ""


def _rows(events: dict[str, dict[str, Any]], selected: list[str]) -> dict[str, tuple[str, str]]:
    rows, classes = {}, {}
    for name, event in events.items():
        match = _CLASS_EVENT.fullmatch(name)
        if match is None:
            rows[name] = _row(event)
        elif match[1] == "setUpClass":
            classes[match[2]] = _row(event)
        elif _verdict(event) == "failed":
            rows[f"{match[2]}.tearDownClass"] = _row(event)
    for name in selected:
        rows.setdefault(name, classes.get(name.rsplit(".", 1)[0], ("not run", "")))
    return rows


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
