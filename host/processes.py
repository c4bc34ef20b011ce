"""The processes of the cloud on one machine: a table, and the supervisor's configuration made from it."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from host.environment import agent_environment, process_environment
from host.lab.settings import machine_names
from host.settings import CHECKOUT, HostSettings


@dataclass(frozen=True)
class Process:
    """One supervised process.

    Attributes:
        name: as `make status` shows it.
        command: argument list.
        order: lower ones start first and stop last.
        wanted: whether these settings call for it.
        environment: variables beyond those that all get.
        stop_seconds: how long it may take to end.
        is_of_host: whether it belongs to a host, and so knows the secrets of no other room.
        is_first: whether it starts at once. The others wait until the API answers, and leave it the processors.
    """

    name: str
    command: Callable[[HostSettings], list[str]]
    order: int = 500
    wanted: Callable[[HostSettings], bool] = lambda settings: True
    environment: dict[str, str] = field(default_factory=dict)
    stop_seconds: int = 15
    is_of_host: bool = False
    is_first: bool = False


def _tool(name: str) -> str:
    return f"{sys.prefix}/bin/{name}"


def _is_control(settings: HostSettings) -> bool:
    return not settings.machine


def _is_libvirt(settings: HostSettings) -> bool:
    return settings.hypervisor == "libvirt"


def _is_fake(settings: HostSettings) -> bool:
    return settings.hypervisor == "fake"


def _gunicorn(settings: HostSettings) -> list[str]:
    return [
        _tool("gunicorn"), "cloud.config.wsgi:application", "--config", "python:cloud.config.gunicorn",
        "--bind", f"127.0.0.1:{settings.port}", "--workers", str(settings.api_workers),
    ]


def _flower(settings: HostSettings) -> list[str]:
    # Its password comes by FLOWER_BASIC_AUTH, so that no process list shows it.
    return [
        sys.executable, "-m", "celery", "-A", "host.flower", "flower", "--address=127.0.0.1",
        f"--port={settings.flower_port}", "--max_tasks=5000", "--purge_offline_workers=60",
    ]


PROCESSES = (
    Process("redis", lambda s: ["redis-server", f"{s.state_dir}/redis/redis.conf"], order=100,
            wanted=lambda s: s.has_own_redis, is_first=True),
    Process("libvirtd", lambda s: [sys.executable, "-m", "host.libvirtd", "run"], order=100, wanted=_is_libvirt,
            is_first=True),
    # An answer of a megabyte goes back to the kernel when it is sent; glibc would keep as much for the next one.
    Process("api", _gunicorn, order=300, wanted=_is_control, environment={"MALLOC_MMAP_THRESHOLD_": "131072"},
            is_first=True),
    Process("conductor", lambda s: [sys.executable, "-m", "cloud.conductor"], order=300, wanted=_is_control,
            is_first=True),
    Process("scheduler", lambda s: [sys.executable, "-m", "scheduler"], order=200, wanted=_is_control),
    Process("beat", lambda s: [sys.executable, "-m", "cloud.conductor.beat"], order=400, wanted=_is_control),
    Process("agent", lambda s: [sys.executable, "-m", "compute_agent"], order=400, wanted=_is_libvirt,
            environment={"NOVELLA_LANES": "fast"}, is_of_host=True),
    Process("agent-slow", lambda s: [sys.executable, "-m", "compute_agent"], order=400, wanted=_is_libvirt,
            environment={"NOVELLA_LANES": "slow"}, is_of_host=True),
    Process("metadata", lambda s: [sys.executable, "-m", "compute_agent.network.metadata"], order=400,
            wanted=_is_libvirt, is_of_host=True),
    Process("agents", lambda s: [sys.executable, "-m", "compute_agent"], order=400, wanted=_is_fake, is_of_host=True),
    Process("flower", _flower, order=600, wanted=_is_control),
)


def wanted_processes(settings: HostSettings) -> list[Process]:
    """Return the rows that these settings call for, and one for each host of a lab."""
    machines = [_machine(settings, name) for name in machine_names(settings)]
    return [process for process in (*PROCESSES, *machines) if process.wanted(settings)]


def _machine(settings: HostSettings, name: str) -> Process:
    choices = {"HYPERVISOR": settings.hypervisor, "HOSTS": str(settings.hosts), "PORT": str(settings.port)}
    return Process(name, lambda s: [sys.executable, "-m", "host.lab.machine", name], order=400, environment=choices)


def supervisor_configuration(settings: HostSettings, *, first_only: bool = False) -> str:
    """Return supervisord's configuration for these settings, with all processes or with the first ones."""
    run = settings.runtime_dir
    chosen = [process for process in wanted_processes(settings) if process.is_first or not first_only]
    sections = [
        _section("unix_http_server", [("file", f"{run}/supervisor.sock"), ("chmod", "0700")]),
        _section("supervisord", [
            ("logfile", f"{settings.state_dir}/log/supervisord.log"), ("pidfile", f"{run}/supervisord.pid"),
            ("directory", str(CHECKOUT)), ("childlogdir", f"{settings.state_dir}/log"), ("umask", "027"),
        ]),
        _section("rpcinterface:supervisor", [
            ("supervisor.rpcinterface_factory", "supervisor.rpcinterface:make_main_rpcinterface"),
        ]),
        _section("supervisorctl", [("serverurl", f"unix://{run}/supervisor.sock")]),
        *(_program(settings, process) for process in chosen),
    ]
    return "\n".join(sections)


def _program(settings: HostSettings, process: Process) -> str:
    is_of_host = process.is_of_host or bool(settings.machine)
    common = agent_environment(settings) if is_of_host else process_environment(settings)
    variables = {**common, **process.environment}
    log = f"{settings.state_dir}/log/{process.name}.log"
    return _section(f"program:{process.name}", [
        ("command", " ".join(_quoted(word) for word in process.command(settings))),
        ("environment", ",".join(f"{name}={_quoted(value)}" for name, value in variables.items())),
        ("priority", str(process.order)), ("autorestart", "true"), ("startsecs", "1"), ("startretries", "1000"),
        ("stopwaitsecs", str(process.stop_seconds)), ("stopasgroup", "false"), ("killasgroup", "false"),
        ("redirect_stderr", "true"), ("stdout_logfile", log), ("stdout_logfile_maxbytes", "10MB"),
        ("stdout_logfile_backups", "2"),
    ])


def _quoted(word: str) -> str:
    # supervisord expands %(name)s in values and reads them like a shell does.
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _section(name: str, options: Iterable[tuple[str, str]]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in options)
