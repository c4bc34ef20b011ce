"""The table at the end of `make chaos`: what each piece printed, in a line.

python -m tests.chaos.summary FOLDER    with NAME.txt, what a piece printed, and NAME.end, its status and seconds first
"""

import re
import sys
from pathlib import Path

_CASE = re.compile(r"^seed \d+, +\d+ of \d+: (fake|libvirt), .* after ([\d.]+) s", re.MULTILINE)
_RECOVERY = re.compile(
    r"^recovery after kill -9 of (\w+):.* the last after ([\d.]+) s, a new server was ACTIVE after ([\d.]+) s",
    re.MULTILINE,
)
_SIMULATED = re.compile(r"^(?:matrix|soak): (.*)$", re.MULTILINE)
_TESTS = re.compile(r"^(?:.* )?(\d+ (?:passed|failed|error)[^=]*?) in [\d.]+s.*$", re.MULTILINE)
# What became of a piece that `timeout` ended.
_OUT_OF_TIME = 124


def main(folder: Path) -> int:
    """Print the table; return whether something failed."""
    pieces = {path.stem: path.read_text().split() for path in sorted(folder.glob("*.end"))}
    texts = {name: (folder / f"{name}.txt").read_text(errors="replace") for name in pieces}
    print("\nsummary")
    for name, (status, seconds, *_) in pieces.items():
        print(f"  {name:<15}{_outcome(int(status)):<12}{int(seconds):>6} s   {_figures(texts[name])}")
    everything = "\n".join(texts.values())
    _print_sample(_CASE.findall(everything))
    _print_recoveries(_RECOVERY.findall(everything))
    failed = [name for name, (status, *_) in pieces.items() if int(status)]
    print(f"chaos: {len(pieces)} pieces, {len(failed)} failed{': ' + ', '.join(failed) if failed else ''}")
    return 1 if failed or not pieces else 0


def _outcome(status: int) -> str:
    return {0: "passed", _OUT_OF_TIME: "OUT OF TIME"}.get(status, "FAILED")


def _figures(text: str) -> str:
    simulated, tests = _SIMULATED.findall(text), _TESTS.findall(text)
    return simulated[-1] if simulated else ", ".join(tests)


def _print_sample(cases: list[tuple[str, str]]) -> None:
    for hypervisor in ("fake", "libvirt"):
        seconds = sorted(float(after) for which, after in cases if which == hypervisor)
        if seconds:
            middle = seconds[len(seconds) // 2]
            print(f"kill -9 on {hypervisor} hosts: {len(seconds)} cases, settled after {middle:.1f} s, at most "
                  f"{seconds[-1]:.1f} s")  # fmt: skip


def _print_recoveries(recoveries: list[tuple[str, str, str]]) -> None:
    for process, work, new in recoveries:
        print(f"recovery of {process:<11}work went on after {work} s, a new server was there after {new} s")
    if recoveries:
        worst = max(float(seconds) for _, *both in recoveries for seconds in both)
        print(f"recovery: {worst:.1f} s at most, of 30 s")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
