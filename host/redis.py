"""The cloud's own Redis: loopback, a password, append-only file, nothing evicted."""

from pathlib import Path

from host.environment import generated, write_private
from host.settings import HostSettings


def write_redis_configuration(settings: HostSettings) -> None:
    """Write redis.conf into the state folder."""
    folder = settings.state_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": settings.redis_port,
        "requirepass": generated(settings, "redis"),
        "dir": folder,
        "daemonize": "no",
        # A title would be written over the environment, by which `make down` knows what a dead supervisor left.
        "set-proc-title": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory-policy": "noeviction",
        "maxclients": 20000,
        "loglevel": "warning",
        # No message is nearly as large, and a host may send what it likes.
        "proto-max-bulk-len": "16mb",
        "client-query-buffer-limit": "32mb",
        "include": users_file(settings),
    }
    if not users_file(settings).exists():
        write_private(users_file(settings), "")
    write_private(folder / "redis.conf", "".join(f"{name} {value}\n" for name, value in options.items()))


def users_file(settings: HostSettings) -> Path:
    """Return the file with the hosts' users, so that Redis knows them as soon as it starts."""
    return settings.state_dir / "redis" / "users.conf"
