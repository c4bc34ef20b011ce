"""`make bench`: measure a cloud of fake hosts of its own, and the scheduler. `--save` keeps the figures."""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import scheduler_bench
from bench.cloud_bench import measure
from bench.startup import Startup
from tests.fixtures.clouds import CHECKOUT, LocalCloud

RESULTS = CHECKOUT / "bench" / "results"


def main() -> int:
    """Run the benchmarks and print their figures as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--rows", type=int, default=1000, help="servers in the longest list that is read (1000)")
    parser.add_argument("--save", metavar="NAME", help="write bench/results/NAME.json")
    chosen = parser.parse_args()
    figures = _cloud_figures(chosen.hosts, chosen.servers, chosen.rows)
    decisions = [scheduler_bench.measure(hosts) for hosts in scheduler_bench.SIZES]
    for name, value in figures.items():
        print(f"{name:<20} {value}")
    scheduler_bench.print_table(decisions)
    text = json.dumps({**figures, "scheduler": [asdict(one) for one in decisions]}, indent=1)
    print(text)
    if chosen.save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{chosen.save}.json").write_text(text + "\n")
    return 0


def _cloud_figures(hosts: int, servers: int, rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="novella-bench.") as folder:
        cloud = LocalCloud(Path(folder), "fake", hosts=hosts)
        startup = Startup(cloud)
        try:
            startup.start()
            cloud.host("up")
            startup.join()
            _lift_quotas(cloud)
            return {**startup.figures, **measure(cloud, servers, rows)}
        finally:
            cloud.end()


def _lift_quotas(cloud: LocalCloud) -> None:
    project = cloud.connect().current_project_id
    admin = cloud.connect("novella-admin")
    admin.compute.update_quota_set(project, instances=-1, cores=-1, ram=-1)
    admin.network.update_quota(project, ports=-1)


if __name__ == "__main__":
    sys.exit(main())
