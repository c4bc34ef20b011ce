"""A cloud of real processes on a real PostgreSQL, and everything that a person with root can do to them."""

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import psutil
import redis as redis_library
from celery import Celery

from contracts.broker import celery_settings
from contracts.conductor import RECONCILE_HOSTS
from contracts.routing import CONDUCTOR_QUEUE, HEARD_QUEUE, INBOUND_QUEUE, REPORTS_QUEUE
from host import supervision
from host.environment import agent_environment, process_environment, read_environment
from tests.chaos.real.client import Client
from tests.chaos.real.postgres import PostgresServer
from tests.chaos.real.rows import Rows
from tests.fixtures.cable import Cable
from tests.fixtures.clouds import CHECKOUT, LocalCloud, wait_until
from tests.fixtures.wire import Wire

# What a process of a case is called by the supervisor, by the hypervisor.
_SUPERVISED = {"fake": {"agent": ("agents",)}, "libvirt": {"agent": ("agent", "agent-slow")}}
_POSTGRES_AWAY_SECONDS = 1.0
_TROUBLED = "SELECT 1 FROM compute_computenode WHERE troubles <> '[]'"


class ChaosCloud(LocalCloud):
    """See LocalCloud. `postgres` is its database server, or None where it keeps SQLite."""

    def __init__(
        self, state_dir: Path, hypervisor: str, hosts: int = 1, *, postgres: PostgresServer | None, **environment: str
    ) -> None:
        database = {"DATABASE_URL": postgres.url} if postgres else {}
        super().__init__(state_dir, hypervisor, hosts, **database, NOVELLA_REPORT_SECONDS="2", **environment)
        self.postgres = postgres
        self.hypervisor = hypervisor
        self._more: list[KeptProcess] = []

    @cached_property
    def rows(self) -> Rows:
        """Its tables."""
        assert self.postgres is not None
        return Rows(self.postgres)

    @cached_property
    def client(self) -> Client:
        """The owner of the demo's project."""
        return Client.of(self, "novella")

    @cached_property
    def admin(self) -> Client:
        """Its administrator."""
        return Client.of(self, "novella-admin")

    def up(self) -> None:
        """Start it, and let its project have as many servers as it likes."""
        self.host("up")
        project = self.connect().current_project_id
        admin = self.connect("novella-admin")
        admin.compute.update_quota_set(project, instances=-1, cores=-1, ram=-1)
        admin.network.update_quota(project, port=-1)

    def start_more(self, module: str, **variables: str) -> "KeptProcess":
        """Keep one more process of the control plane beside the supervised ones; `end` ends it."""
        return self._keep(module, {**process_environment(self.settings), **variables})

    def start_agent(self, host: str, wire: Wire | None = None, **variables: str) -> "KeptProcess":
        """Keep a fake host of this name with an agent and a credential of its own; `end` ends it.

        It comes to its Redis by the wire, if there is one; by a cable, from a namespace that has nothing else.
        """
        credential = self.state_dir / f"credential-{host}"
        self.manage("host_enroll", host, "--keep", "--file", str(credential))
        if wire is not None:
            place, text = f"127.0.0.1:{self.settings.redis_port}/", credential.read_text()
            assert place in text
            credential.write_text(text.replace(place, f"{wire.address}:{wire.port}/"))
        own = {"NOVELLA_HOST": host, "NOVELLA_HOSTS": "1", "NOVELLA_CREDENTIAL_FILE": str(credential)}
        within = ("ip", "netns", "exec", wire.namespace) if isinstance(wire, Cable) else ()
        return self._keep("compute_agent", {**agent_environment(self.settings), **own, **variables}, within)

    def _keep(self, module: str, variables: dict[str, str], within: tuple[str, ...] = ()) -> "KeptProcess":
        environment = {**self.environment, **variables}
        kept = KeptProcess(module, environment, self.state_dir / "log" / f"more-{len(self._more)}.log", within)
        self._more.append(kept)
        return kept

    def workers_ready(self) -> int:
        """Return how many of the Celery workers that `start_more` started take tasks."""
        return sum("ready." in log.read_text(errors="replace") for log in (self.state_dir / "log").glob("more-*.log"))

    def end(self) -> None:
        """Take everything down."""
        for process in self._more:
            process.end()
        if self.postgres is not None:
            self.rows.close()
        try:
            super().end()
        finally:
            if self.postgres is not None:
                self.postgres.stop()

    # What can be done to its processes.

    def processes_of(self, name: str) -> list[psutil.Process]:
        """Return the living processes behind a name of `cases.PROCESSES`, children first."""
        if name == "postgres":
            return self.postgres.processes() if self.postgres else []
        if name == "qemu":
            return self._guests()
        found = []
        for one in supervision.processes(self.settings):
            if one["pid"] and one["name"] in _SUPERVISED[self.hypervisor].get(name, (name,)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    root = psutil.Process(one["pid"])
                    found += [*(() if name == "libvirtd" else root.children(recursive=True)), root]
        return found + (self._libvirtd() if name == "libvirtd" else [])

    def _guests(self) -> list[psutil.Process]:
        folder = self.settings.runtime_dir / "libvirt" / "qemu"
        return [process for path in folder.glob("*.pid") for process in _process_in(path)]

    def _libvirtd(self) -> list[psutil.Process]:
        """The daemon itself, but not the guests below its parent: those outlive it."""
        return _process_in(self.settings.runtime_dir / "libvirt" / "libvirtd.pid")

    def strike(self, name: str) -> float:
        """Kill a process as a power cut does, and return when; whoever keeps it alive starts it again.

        The supervisor does for all but PostgreSQL, which is brought back here, and guests, which stay off.
        """
        victims = self.processes_of(name)
        assert victims, f"there is no {name} to kill"
        at = time.monotonic()
        if name == "postgres":
            self.postgres.kill()
            time.sleep(_POSTGRES_AWAY_SECONDS)
            self.postgres.start()
            return at
        for one in reversed(victims):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        return at

    @contextlib.contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Stop processes in their tracks for as long as the context lasts; those that die meanwhile stay dead."""
        victims = [process for name in names for process in self.processes_of(name)]
        for one in reversed(victims):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.suspend()
        try:
            if "conductor" in names:
                self._occupy(CONDUCTOR_QUEUE)
            yield
        finally:
            for one in victims:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.resume()

    def _occupy(self, queue: str) -> None:
        """Send a frozen worker something harmless: what it waits for in its socket is no longer in the queue."""
        with contextlib.suppress(redis_library.RedisError), Celery("chaos", set_as_current=False) as app:
            app.conf.update(celery_settings(self.redis_url))
            app.send_task(RECONCILE_HOSTS, queue=queue, retry=False, ignore_result=True)

    @property
    def redis_url(self) -> str:
        """Where its Redis is."""
        return read_environment(self.settings.environment_file)["REDIS_URL"]

    def is_told_to_conductor(self, text: str) -> bool:
        """Tell whether a message with this text waits for a conductor, or was taken by one and not acknowledged."""
        with contextlib.closing(self.redis()) as redis:
            queues = (CONDUCTOR_QUEUE, INBOUND_QUEUE, HEARD_QUEUE, REPORTS_QUEUE)
            waiting = [row for queue in queues for row in redis.lrange(queue, 0, -1)]
            taken = [row for row in redis.hvals("unacked") if json.loads(row)[2] in queues]
        messages = [json.loads(row) for row in waiting] + [json.loads(row)[0] for row in taken]
        return any(text in base64.b64decode(message["body"]).decode() for message in messages)

    # What lies on its hosts.

    def trouble(self, *faults: dict[str, object], hosts: list[str] | None = None) -> None:
        """Let things go wrong on fake hosts from now on; no faults for none."""
        for number in range(1, self.settings.hosts + 1):
            host = f"fake-{number:03}"
            if hosts is None or host in hosts:
                path = self.state_dir / "fake" / f"{host}.faults.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                draft = path.with_suffix(".draft")
                draft.write_text(json.dumps(list(faults)))
                os.utime(draft, ns=(time.time_ns(), time.time_ns()))
                draft.rename(path)

    def left_on_hosts(self, uuid: str) -> list[str]:
        """Return the names of everything that belongs to a server on any host."""
        if self.hypervisor == "fake":
            return sorted(
                str(path.relative_to(self.state_dir)) for path in (self.state_dir / "fake").rglob(f"*{uuid}*")
                if path.suffix != ".new" and "fences" not in path.parts
            )  # fmt: skip
        disks = [str(path) for path in (self.state_dir / "instances").glob(f"*{uuid}*")]
        return disks + [f"guest {one.pid}" for one in self._guests() if any(uuid in word for word in one.cmdline())]

    def homes(self, uuid: str) -> list[str]:
        """Return the fake hosts that have a guest of this server."""
        return sorted(path.parts[-3] for path in (self.state_dir / "fake").glob(f"*/domains/{uuid}.json"))

    def is_whole(self) -> bool:
        """Tell whether every process runs, and every host is up and names no trouble."""
        states = {one["name"]: one["statename"] for one in supervision.processes(self.settings)}
        if set(states.values()) != {"RUNNING"}:
            return False
        answer = self.admin.call("GET", "/compute/v2.1/os-services?binary=nova-compute", timeout=10)
        is_up = answer.status == 200 and all(one["state"] == "up" for one in answer.body["services"])
        return is_up and not (self.postgres and self.rows.all(_TROUBLED))

    def wait_until_whole(self, seconds: float = 240) -> None:
        """Wait until the last trouble is over."""
        wait_until(self.is_whole, "all processes and hosts to be there", seconds)

    def wait_for_content(self, seconds: float = 60) -> None:
        """Wait until the audit finds nothing; hosts say what they have every few seconds."""
        deadline = time.monotonic() + seconds
        while findings := self.audit():
            assert time.monotonic() < deadline, findings
            time.sleep(1)


def _process_in(pid_file: Path) -> list[psutil.Process]:
    try:
        return [psutil.Process(int(pid_file.read_text()))]
    except (OSError, ValueError, psutil.NoSuchProcess):
        return []


class KeptProcess:
    """A Python program that is started again whenever it ends, as a supervisor does, by whatever `within` starts."""

    def __init__(
        self, module: str, environment: dict[str, str], log_file: Path, within: tuple[str, ...] = ()
    ) -> None:
        loop = 'while :; do "$0" -m "$1"; sleep 1; done'
        words = [*within, "sh", "-c", loop, sys.executable, module]
        with log_file.open("wb") as log:
            self._shell = subprocess.Popen(words, cwd=CHECKOUT, env=environment, stdout=log, stderr=log)

    def end(self) -> None:
        """Kill it for good."""
        if self._shell.poll() is None:
            programs = self._programs()
            self._shell.kill()
            self._shell.wait()
            for one in programs:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()

    def freeze(self) -> None:
        """Stop it in its tracks."""
        for one in self._programs():
            one.suspend()

    def thaw(self) -> None:
        """Let it go on."""
        for one in self._programs():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()

    def _programs(self) -> list[psutil.Process]:
        return psutil.Process(self._shell.pid).children(recursive=True)
