"""The environment of the cloud's processes, written once to a file that a shell and manage.py can read."""

import os
import secrets
from pathlib import Path

from host.lab.wires import OUTSIDE, PHYSICAL_NETWORK, TUNNELS
from host.settings import HostSettings

# Our own Redis asks for a password: other users of the machine can reach loopback too.
_REDIS_SECRET = "redis"
_FLOWER_SECRET = "flower"


def generated(settings: HostSettings, name: str) -> str:
    """Return a generated password, made at first use and kept in the state folder."""
    path = settings.state_dir / "secrets" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def redis_url(settings: HostSettings) -> str:
    """Return the URL of the Redis in use."""
    if not settings.has_own_redis:
        return settings.redis_url
    return f"redis://:{generated(settings, _REDIS_SECRET)}@127.0.0.1:{settings.redis_port}/0"


def process_environment(settings: HostSettings) -> dict[str, str]:
    """Return the variables that every process of the control plane gets."""
    return {
        **_common(settings),
        "REDIS_URL": redis_url(settings),
        "DATABASE_URL": settings.database_url,
        "FLOWER_BASIC_AUTH": f"admin:{generated(settings, _FLOWER_SECRET)}",
        # Flower reads FLOWER_* by itself, and make hands on what nobody chose as an empty text.
        "FLOWER_PORT": str(settings.flower_port),
        "DJANGO_SETTINGS_MODULE": "cloud.config.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(settings.state_dir / "metrics"),
    }


def agent_environment(settings: HostSettings) -> dict[str, str]:
    """Return the variables that a host's processes get: they know of no database, and Redis by their credential."""
    values = {
        **_common(settings),
        "NOVELLA_CREDENTIAL_FILE": str(credential_file(settings)),
        # The person's own choices for the control plane, which the supervisor would hand on.
        "DATABASE_URL": "",
        "REDIS_URL": "",
    }
    if not settings.machine:
        return values
    return {
        **values,
        "NOVELLA_HOST": settings.machine,
        "NOVELLA_TUNNEL_IP": TUNNELS.address(settings.machine),
        "NOVELLA_PHYSICAL_NETWORKS": f"{PHYSICAL_NETWORK}:{OUTSIDE.name}",
    }


def credential_file(settings: HostSettings) -> Path:
    """Return where the credential of the agents that run with these settings lies."""
    return settings.state_dir / "credential"


def _common(settings: HostSettings) -> dict[str, str]:
    values = {
        "NOVELLA_STATE_DIR": str(settings.state_dir),
        "NOVELLA_API_URL": settings.api_url,
        "NOVELLA_HYPERVISOR": settings.hypervisor,
        "NOVELLA_PHYSICAL_NETWORKS": settings.physical_networks,
        "LIBVIRT_URI": f"qemu+unix:///system?socket={settings.runtime_dir}/libvirt/libvirt-sock",
        "PYTHONUNBUFFERED": "1",
        # Whoever forbids compiled code to be kept, as many do for tests, would have it compiled anew at each start.
        "PYTHONDONTWRITEBYTECODE": "",
        # glibc gives each thread a heap of its own otherwise, and gives little of it back.
        "MALLOC_ARENA_MAX": "2",
        # NumPy's threads would only hold memory: columns are short.
        "OPENBLAS_NUM_THREADS": "1",
    }
    if settings.hypervisor == "fake":
        values["NOVELLA_HOSTS"] = str(settings.hosts)
    return values


def write_environment(settings: HostSettings) -> None:
    """Write the variables to the state folder, readable by their owner only."""
    lines = "".join(f"{name}={value}\n" for name, value in process_environment(settings).items())
    write_private(settings.environment_file, lines)


def read_environment(path: Path) -> dict[str, str]:
    """Read the variables back; an absent file has none."""
    if not path.exists():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {pair[0]: pair[1] for pair in pairs}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
