"""What a person may choose for the cloud on this machine; everything else follows from the checkout's place."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contracts.physical_networks import read

CHECKOUT = Path(__file__).resolve().parents[1]
# How many hosts each kind has when nobody says, and at most. A lab is several real hosts on this one machine.
HYPERVISORS = {"libvirt": (1, 1), "fake": (1, 5000), "lab": (3, 16)}
# The networks outside of which the control plane knows where nobody names any: a machine that is alone is the outside.
PHYSICAL_NETWORKS = {"libvirt": "public:host", "fake": "public:host", "lab": "public"}


class SettingsError(Exception):
    """A setting has a value that cannot be meant; the text says which and what would do."""


@dataclass(frozen=True)
class HostSettings:
    """The choices, and the places that follow from them.

    `machine` is the name of a host of a lab when these are the settings of what runs inside it.
    """

    state_dir: Path
    hypervisor: str
    hosts: int
    port: int
    flower_port: int
    redis_port: int
    redis_url: str
    database_url: str
    api_workers: int
    physical_networks: str
    machine: str = ""

    @property
    def is_real(self) -> bool:
        """Whether guests are real."""
        return self.hypervisor != "fake"

    @property
    def runtime_dir(self) -> Path:
        """Where sockets live: short, because a socket's path may have 107 characters only."""
        digest = hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:8]
        if os.geteuid() == 0:
            return Path(f"/run/novella-{digest}")
        return Path(tempfile.gettempdir()) / f"novella-{os.geteuid()}-{digest}"

    @property
    def has_own_redis(self) -> bool:
        """Whether the cloud starts a Redis of its own."""
        return not self.redis_url

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment_file(self) -> Path:
        """What manage.py and every process read."""
        return self.state_dir / "env"


def read_settings(environment: Mapping[str, str]) -> HostSettings:
    """Read the choices from the environment.

    Raises:
        SettingsError
    """
    state_dir = Path(environment.get("NOVELLA_STATE_DIR") or CHECKOUT / "var").resolve()
    hypervisor = environment.get("HYPERVISOR") or "libvirt"
    if hypervisor not in HYPERVISORS:
        raise SettingsError(f"HYPERVISOR must be one of {', '.join(HYPERVISORS)}, not {hypervisor!r}")
    hosts = _hosts(environment, hypervisor)
    port = _number(environment, "PORT", 8000, 1, 65535)
    return HostSettings(
        state_dir=state_dir,
        hypervisor=hypervisor,
        hosts=hosts,
        port=port,
        flower_port=_number(environment, "FLOWER_PORT", 5555, 1, 65535),
        redis_port=_number(environment, "REDIS_PORT", 16379, 1, 65535),
        redis_url=environment.get("REDIS_URL", ""),
        database_url=environment.get("DATABASE_URL", ""),
        api_workers=_number(environment, "API_WORKERS", 2, 1, 64),
        physical_networks=_physical_networks(environment, hypervisor),
    )


def _physical_networks(environment: Mapping[str, str], hypervisor: str) -> str:
    text = environment.get("NOVELLA_PHYSICAL_NETWORKS") or PHYSICAL_NETWORKS[hypervisor]
    try:
        read(text)
    except ValueError as error:
        raise SettingsError(f"NOVELLA_PHYSICAL_NETWORKS: {error}") from error
    return PHYSICAL_NETWORKS["lab"] if hypervisor == "lab" else text  # a lab has its own wire outside


def _hosts(environment: Mapping[str, str], hypervisor: str) -> int:
    default, most = HYPERVISORS[hypervisor]
    if most == 1 and environment.get("HOSTS", "") not in ("", "1"):
        raise SettingsError("HOSTS is for HYPERVISOR=fake and for `make lab`; a real hypervisor is this one machine")
    return _number(environment, "HOSTS", default, 1, most)


def _number(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)
