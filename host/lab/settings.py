"""What the hosts of a lab are called and where each keeps its things."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from host.environment import redis_url
from host.settings import HostSettings, SettingsError

_LOOPBACK = ("127.0.0.1", "localhost")
_REDIS_PORT = 6379


def machine_names(settings: HostSettings) -> list[str]:
    """Return the names of the lab's hosts; none where there is no lab."""
    if settings.hypervisor != "lab":
        return []
    return [f"h{number}" for number in range(1, settings.hosts + 1)]


def lab_folder(settings: HostSettings) -> Path:
    """Return the folder with a folder for each host."""
    return settings.state_dir / "lab"


def machine_settings(settings: HostSettings, name: str) -> HostSettings:
    """Return the settings of what runs inside a host: a state folder of its own, and no database."""
    return replace(
        settings, machine=name, state_dir=lab_folder(settings) / name, hypervisor="libvirt", hosts=1,
        redis_url=redis_url(settings), database_url="",
    )


def cable_ports(settings: HostSettings) -> list[int]:
    """Return the ports of the control plane, all on loopback, that a host reaches at the same addresses as we do.

    Raises:
        SettingsError: Redis is elsewhere.
    """
    broker = urlsplit(redis_url(settings))
    if broker.hostname not in _LOOPBACK:
        raise SettingsError("The hosts of a lab have no network but loopback: REDIS_URL must name 127.0.0.1")
    return [settings.port, broker.port or _REDIS_PORT]


def cut_marker(settings: HostSettings, name: str) -> Path:
    """Return the file that stands for a cable that is cut; it stays cut when the host starts anew."""
    return lab_folder(settings) / f"{name}.cut"
