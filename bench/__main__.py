"""`make bench`: measure a cloud of fake hosts of its own, and the scheduler. `--save` keeps the figures."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.cloud_bench import measure
from tests.fixtures.clouds import CHECKOUT, LocalCloud

RESULTS = CHECKOUT / "bench" / "results"


def main() -> int:
    """Run the benchmarks and print their figures as a table and as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--save", metavar="NAME", help="write bench/results/NAME.json")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="novella-bench.") as folder:
        cloud = LocalCloud(Path(folder), "fake", hosts=chosen.hosts)
        began = time.perf_counter()
        try:
            cloud.host("up")
            figures = {"up_seconds": round(time.perf_counter() - began, 1)}
            _lift_quotas(cloud)
            with urllib.request.urlopen(f"{cloud.url}/healthz") as answer:
                assert answer.status == 200
            figures |= measure(cloud, chosen.servers)
        finally:
            cloud.host("down")
    for name, value in figures.items():
        print(f"{name:<20} {value}")
    text = json.dumps(figures, indent=1)
    print(text)
    if chosen.save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{chosen.save}.json").write_text(text + "\n")
    return subprocess.run([sys.executable, "-m", "bench.scheduler_bench"], cwd=CHECKOUT, check=False).returncode


def _lift_quotas(cloud: LocalCloud) -> None:
    project = cloud.connect().current_project_id
    admin = cloud.connect("novella-admin")
    admin.compute.update_quota_set(project, instances=-1, cores=-1, ram=-1)
    admin.network.update_quota(project, ports=-1)


if __name__ == "__main__":
    sys.exit(main())
