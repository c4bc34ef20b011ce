"""`make bench`, or `python -m bench NAME...` for some: measure, print a table and JSON, compare with what was kept.

One that fails is told, and the others go on: a whole run takes half an hour. The exit status is 1 then.
"""

import argparse
import json
import sys
import traceback
from typing import Any

from bench import report
from bench.catalog import BENCHMARKS


def main() -> int:
    """Run the benchmarks that are asked for, all without any."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(BENCHMARKS)}")
    parser.add_argument("--runs", type=int, default=1, help="run each so often, and take the median of each figure")
    parser.add_argument("--save", metavar="NAME", help="write bench/results/NAME.json")
    parser.add_argument("--against", metavar="NAME", help="compare with bench/results/NAME.json")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    if chosen.against and not report.is_kept(chosen.against):
        parser.error(f"no figures are kept as {chosen.against}")
    baseline = report.load(chosen.against) if chosen.against else None
    figures: dict[str, Any] = {"circumstances": report.circumstances()}
    failed = []
    for name in chosen.names or BENCHMARKS:
        print(f"--- {name}", file=sys.stderr, flush=True)
        try:
            figures[name] = report.median_of([BENCHMARKS[name]() for _ in range(chosen.runs)])
        except Exception as error:  # noqa: BLE001 - told below, in the figures and by the exit status
            traceback.print_exc()
            figures[name] = {"failed": f"{type(error).__name__}: {error}"[:300]}
            failed.append(name)
    report.print_table(figures, baseline)
    print(json.dumps(figures, indent=1))
    if chosen.save:
        report.save(chosen.save, figures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
