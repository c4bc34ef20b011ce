"""An API without hosts: a database of either kind, a Redis, and the application server; nothing else runs beside it."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import yaml

from bench.client import Client
from tests.chaos.real.postgres import PostgresServer
from tests.fixtures.clouds import CHECKOUT
from tests.fixtures.ports import free_port
from tests.fixtures.redis import RedisServer, start_redis

DATABASES = ("sqlite", "postgresql")
_READY_SECONDS = 60.0


class Stage:
    """What is needed to measure the control plane's own work. `environment` is that of its processes."""

    def __init__(self, folder: Path, broker: RedisServer, postgres: PostgresServer | None) -> None:
        self.folder = folder
        self.port = free_port()
        self.redis_url = broker.url
        self.redis = broker.client
        self.postgres = postgres
        self.api: subprocess.Popen[bytes] | None = None
        self.environment = {
            **os.environ, "NOVELLA_STATE_DIR": str(folder), "REDIS_URL": broker.url,
            "DATABASE_URL": postgres.url if postgres else "", "NOVELLA_API_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "cloud.config.settings", "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        }  # fmt: skip
        (folder / "metrics").mkdir(parents=True)
        self.run("manage.py", "migrate", "--no-input", "-v", "0")
        self.run("manage.py", "bootstrap")

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> str:
        """Run a Python program in the environment, return what it printed."""
        command, options = [sys.executable, *arguments], {"cwd": CHECKOUT, "env": self.environment}
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start a Python program in the environment; it can be written to and read."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        environment = {**self.environment, **variables}
        return subprocess.Popen([sys.executable, *arguments], cwd=CHECKOUT, env=environment, **pipes)

    def serve(self, workers: int = 2) -> None:
        """Start the application server and wait until it answers."""
        command = [
            f"{sys.prefix}/bin/gunicorn", "cloud.config.wsgi:application", "--config", "python:cloud.config.gunicorn",
            "--bind", f"127.0.0.1:{self.port}", "--workers", str(workers),
        ]  # fmt: skip
        with (self.folder / "api.log").open("wb") as log:
            self.api = subprocess.Popen(command, cwd=CHECKOUT, env=self.environment, stdout=log, stderr=log)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "api.log").read_text()[-2000:]
            time.sleep(0.1)

    def client(self, cloud: str = "novella") -> Client:
        """Return a client with a token of one of the first accounts."""
        clouds = yaml.safe_load((self.folder / "clouds.yaml").read_text())["clouds"]
        return Client(self.url, clouds[cloud]["auth"])

    def postgres_processes(self) -> list[psutil.Process]:
        """Return the processes of the database server, none for SQLite."""
        return self.postgres.processes() if self.postgres else []

    @property
    def redis_process(self) -> psutil.Process:
        """The process of Redis."""
        with contextlib.closing(self.redis()) as client:
            return psutil.Process(client.info("server")["process_id"])

    def cpu_seconds(self) -> float:
        """Return what the application server and the database server have used."""
        found = self.postgres_processes()
        if self.api is not None:
            root = psutil.Process(self.api.pid)
            found += [root, *root.children(recursive=True)]
        return sum(cpu_of(one) for one in found)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                return True
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def close(self) -> None:
        """End the application server."""
        if self.api is not None:
            self.api.terminate()
            self.api.wait(20)


def cpu_of(process: psutil.Process) -> float:
    """Return the CPU seconds of a process and of those of its children that have ended; 0 where it has ended itself."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


@contextlib.contextmanager
def stage(database: str, *, is_durable: bool = False) -> Iterator[Stage]:
    """Yield a stage on a fresh database of the kind; `is_durable`: commits wait for the disk, as in earnest."""
    broker = start_redis()
    postgres = PostgresServer(is_durable=is_durable) if database == "postgresql" else None
    with tempfile.TemporaryDirectory(prefix="novella-bench.") as folder:
        try:
            built = Stage(Path(folder), broker, postgres)
            try:
                yield built
            finally:
                built.close()
        finally:
            if postgres:
                postgres.stop()
            broker.stop()
