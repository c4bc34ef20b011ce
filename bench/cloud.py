"""A cloud of fake hosts of its own, measured from its start: servers made and deleted, lists read, memory held."""

import tempfile
from pathlib import Path
from typing import Any

from bench.cloud_bench import measure
from bench.startup import Startup
from tests.chaos.real.postgres import PostgresServer
from tests.fixtures.clouds import LocalCloud


def run(hosts: int = 20, servers: int = 100, rows: int = 1000, **environment: str) -> dict[str, Any]:
    """Start a cloud and measure it.

    Args:
        hosts: fake ones.
        servers: how many are made at once.
        rows: servers in the longest list that is read.
        environment: variables of the cloud, e.g. DATABASE_URL.
    """
    with tempfile.TemporaryDirectory(prefix="novella-bench.") as folder:
        cloud = LocalCloud(Path(folder), "fake", hosts=hosts, **environment)
        startup = Startup(cloud)
        try:
            startup.start()
            cloud.host("up")
            startup.join()
            lift_quotas(cloud)
            return {"startup": startup.figures, **measure(cloud, servers, rows)}
        finally:
            cloud.end()


def run_on_postgresql() -> dict[str, Any]:
    """Measure a cloud whose database is a PostgreSQL of its own."""
    postgres = PostgresServer()
    try:
        return run(DATABASE_URL=postgres.url)
    finally:
        postgres.stop()


def lift_quotas(cloud: LocalCloud) -> None:
    """Let the demo's project have as many servers and ports as it likes."""
    project = cloud.connect().current_project_id
    admin = cloud.connect("novella-admin")
    admin.compute.update_quota_set(project, instances=-1, cores=-1, ram=-1)
    admin.network.update_quota(project, ports=-1)
