"""A private PostgreSQL that can be killed, stalled and brought back, as real ones are by others."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg

from tests.fixtures.ports import free_port

_START_SECONDS = 120.0
MAX_CONNECTIONS = 100
_OPTIONS = {
    "listen_addresses": "127.0.0.1", "max_connections": str(MAX_CONNECTIONS),
    "superuser_reserved_connections": "3", "logging_collector": "off",
}  # fmt: skip


class PostgresServer:
    """The server's postmaster is our child. The cloud is an ordinary user of it; `owner` may do everything."""

    def __init__(self, *, is_durable: bool = False) -> None:
        """Start one; `is_durable`: a commit waits for the disk."""
        self._options = {**_OPTIONS, "fsync": "on" if is_durable else "off"}
        # Not among pytest's folders, which are for their owner only.
        self._folder = Path(tempfile.mkdtemp(prefix="novella-postgres-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._make()
        self.start()

    @property
    def url(self) -> str:
        """What DATABASE_URL is for the cloud."""
        return f"postgresql://novella@127.0.0.1:{self.port}/novella"

    def connect(self, user: str = "owner") -> psycopg.Connection:
        """Return a connection that commits by itself."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=user, dbname="novella", autocommit=True, connect_timeout=5
        )

    def start(self) -> None:
        """Start the postmaster and wait until it lets us in."""
        options = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
        command = [self._tool("postgres"), "-D", str(self._folder / "data"), "-p", str(self.port), *options]
        command += ["-c", f"unix_socket_directories={self._folder}"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **_as_postgres())
        deadline = time.monotonic() + _START_SECONDS
        while not self._lets_in():
            assert self._process.poll() is None, (self._folder / "log").read_text()[-3000:]
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL the postmaster, and what it leaves behind: a new one refuses to start beside that."""
        family = self.processes()
        for one in reversed(family):  # the postmaster first
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=10)
        if self._process is not None:
            self._process.wait(10)
            self._process = None

    @contextlib.contextmanager
    def stalled(self) -> Iterator[None]:
        """Stop all its processes for as long as the context lasts: connections stay, and nothing is answered."""
        family = self.processes()
        for one in reversed(family):
            one.suspend()
        try:
            yield
        finally:
            for one in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.resume()

    @contextlib.contextmanager
    def crowded(self) -> Iterator[None]:
        """Have another client take every connection there is, and the cloud lose those that it has."""
        taken = []
        try:
            with self.connect() as owner:
                owner.execute("ALTER ROLE novella CONNECTION LIMIT 0")  # nobody slips in meanwhile
                owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'novella'")
                while not self._is_full(taken):
                    pass
                owner.execute("ALTER ROLE novella CONNECTION LIMIT -1")
            yield
        finally:
            for one in taken:
                one.close()

    def _is_full(self, taken: list[psycopg.Connection]) -> bool:
        try:
            taken.append(self.connect("crowd"))
        except psycopg.OperationalError:
            return True
        return False

    def stop(self) -> None:
        """End it at once and forget its data."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def processes(self) -> list[psutil.Process]:
        """Return its processes, the postmaster last."""
        if self._process is None:
            return []
        root = psutil.Process(self._process.pid)
        return [*root.children(recursive=True), root]

    def _lets_in(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _make(self) -> None:
        if os.geteuid() == 0:
            os.chown(self._folder, *_postgres_ids())
        self._run("initdb", "-D", str(self._folder / "data"), "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-locale",
                  "--no-sync")
        command = [self._tool("postgres"), "--single", "-D", str(self._folder / "data"), "template1"]
        statements = "CREATE ROLE novella LOGIN\nCREATE ROLE crowd LOGIN\nCREATE DATABASE novella OWNER novella\n"
        subprocess.run(command, input=statements.encode(), capture_output=True, check=True, **_as_postgres())

    def _run(self, tool: str, *arguments: str) -> None:
        subprocess.run([self._tool(tool), *arguments], capture_output=True, check=True, **_as_postgres())

    @staticmethod
    def _tool(name: str) -> str:
        found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
        assert found, "PostgreSQL is missing: apt-get install postgresql"
        return str(found[-1])


def _postgres_ids() -> tuple[int, int]:
    entry = pwd.getpwnam("postgres")
    return entry.pw_uid, entry.pw_gid


def _as_postgres() -> dict[str, object]:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return {}
    uid, gid = _postgres_ids()
    return {"user": uid, "group": gid, "extra_groups": [], "cwd": "/"}
