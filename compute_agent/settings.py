"""What an agent is told by its environment: read once, validated once, frozen."""

import ipaddress
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.credentials import CREDENTIAL, HOST_KEY, read_credential
from contracts.physical_networks import interfaces
from contracts.routing import compute_queue, slow_compute_queue

HYPERVISORS = ("libvirt", "fake")
LANES = ("fast", "slow")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
VIRT_TYPES = ("qemu", "kvm")
_LANE_QUEUES = {"fast": compute_queue, "slow": slow_compute_queue}
# Two calls were not heard: with the third of an interval that may pass until somebody looks, three intervals at most.
_ECHOES_MISSED = 2.5
_LANE_THREADS = {"fast": 16, "slow": 2}


class BadSettings(ValueError):
    """A variable of the environment has a value that the agent cannot work with."""


@dataclass(frozen=True)
class FakeSettings:
    """The size of each fake host and how long its verbs take, in seconds, by the verb's name."""

    hosts: int = 1
    vcpus: int = 64
    memory_mb: int = 262_144
    disk_gb: int = 2_000
    delays: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """An agent's settings.

    Attributes:
        state_dir: folder of all that the agent keeps on disk.
        redis_url: the broker, with the name and password of this agent's own Redis user.
        credential: the name that `manage.py host_enroll` gave it.
        key: what orders and words are signed with; empty without a credential.
        credential_file: where both, and the password in `redis_url`, are renewed while the agent runs.
        accepts_unsigned: work without a credential, under a control plane of the first release.
        hosts: names of the hosts that this process speaks for: one, or many fake ones.
        hypervisor: `libvirt` or `fake`.
        lanes: which of the host's two queues this process serves. The `fast` one also sends the reports.
        host_ip: address that the host reports.
        tunnel_ip: the host's address in the wire that carries VXLAN networks; empty for none.
        wires: its interfaces by the physical networks that they lead to.
        libvirt_uri: where libvirt listens.
        virt_type: `qemu` or `kvm`; never probed, because libvirt advertises KVM where it does not run.
        threads: how many orders are carried out at the same time.
        report_seconds: how often each host reports its inventory.
        full_report_seconds: how often each host reports all its power states, and what lies on it.
        echo_seconds: how often the agent calls to itself through its queue.
        echo_limit_seconds: after how long a silence it restarts itself.
    """

    state_dir: Path
    redis_url: str
    hosts: tuple[str, ...]
    credential: str = ""
    key: bytes = field(default=b"", repr=False)
    credential_file: Path | None = None
    accepts_unsigned: bool = False
    hypervisor: str = "libvirt"
    lanes: tuple[str, ...] = LANES
    host_ip: str = "127.0.0.1"
    tunnel_ip: str = ""
    wires: dict[str, str] = field(default_factory=dict)
    libvirt_uri: str = "qemu:///system"
    virt_type: str = "qemu"
    threads: int = 16
    report_seconds: float = 10.0
    full_report_seconds: float = 60.0
    echo_seconds: float = 15.0
    echo_limit_seconds: float = 37.5
    log_level: str = "INFO"
    fake: FakeSettings = field(default_factory=FakeSettings)

    @property
    def is_reporting(self) -> bool:
        """Whether this process is the one of the host that sends its reports."""
        return "fast" in self.lanes

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that this process reads, those of the fast lane first."""
        return tuple(_LANE_QUEUES[lane](host) for lane in self.lanes for host in self.hosts)

    def check_credential(self) -> None:
        """Refuse to work without one, unless told to.

        Raises:
            BadSettings
        """
        if not self.key and not self.accepts_unsigned:
            raise BadSettings(
                "The agent has no credential: make one with manage.py host_enroll, and name its file in "
                "NOVELLA_CREDENTIAL_FILE. Only a control plane of the first release needs NOVELLA_ACCEPT_UNSIGNED=1."
            )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings.

        Raises:
            BadSettings: a value is not one that the agent can work with; the text names the variable.
        """
        environ = {**environ, **_credential(environ)}
        file = environ.get("NOVELLA_CREDENTIAL_FILE")
        hypervisor = _choice(environ, "NOVELLA_HYPERVISOR", "libvirt", HYPERVISORS)
        lanes = _lanes(environ.get("NOVELLA_LANES", "fast,slow"))
        fake = _fake_settings(environ)
        echo_seconds = _number(environ, "NOVELLA_ECHO_SECONDS", 15.0, minimum=0.05)
        return cls(
            state_dir=Path(environ.get("NOVELLA_STATE_DIR", "var")).absolute(),
            redis_url=environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
            hosts=_hosts(environ, hypervisor, fake.hosts),
            credential=environ.get(CREDENTIAL, ""),
            key=_key(environ),
            credential_file=Path(file) if file else None,
            accepts_unsigned=environ.get("NOVELLA_ACCEPT_UNSIGNED") == "1",
            hypervisor=hypervisor,
            lanes=lanes,
            host_ip=environ.get("NOVELLA_HOST_IP", "127.0.0.1"),
            tunnel_ip=_address(environ, "NOVELLA_TUNNEL_IP"),
            wires=_wires(environ),
            libvirt_uri=environ.get("LIBVIRT_URI", "qemu:///system"),
            virt_type=_choice(environ, "NOVELLA_VIRT_TYPE", "qemu", VIRT_TYPES),
            threads=int(_number(environ, "NOVELLA_THREADS", max(_LANE_THREADS[lane] for lane in lanes), minimum=1)),
            report_seconds=_number(environ, "NOVELLA_REPORT_SECONDS", 10.0, minimum=0.05),
            full_report_seconds=_number(environ, "NOVELLA_FULL_REPORT_SECONDS", 60.0, minimum=1),
            echo_seconds=echo_seconds,
            echo_limit_seconds=_ECHOES_MISSED * echo_seconds,
            log_level=_choice(environ, "NOVELLA_LOG_LEVEL", "INFO", LOG_LEVELS),
            fake=fake,
        )


def _credential(environ: Mapping[str, str]) -> dict[str, str]:
    path = environ.get("NOVELLA_CREDENTIAL_FILE")
    if not path:
        return {}
    try:
        return read_credential(Path(path).read_text())
    except (OSError, ValueError) as exc:
        raise BadSettings(f"NOVELLA_CREDENTIAL_FILE: {exc}") from exc


def _key(environ: Mapping[str, str]) -> bytes:
    try:
        return bytes.fromhex(environ.get(HOST_KEY, ""))
    except ValueError as exc:
        raise BadSettings(f"{HOST_KEY} is not a key.") from exc


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name, default)
    if value not in allowed:
        raise BadSettings(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def _number(environ: Mapping[str, str], name: str, default: float, minimum: float) -> float:
    text = environ.get(name, str(default))
    try:
        value = float(text)
    except ValueError as exc:
        raise BadSettings(f"{name} is {text!r}; it must be a number.") from exc
    if not value >= minimum:
        raise BadSettings(f"{name} is {text}; it must be {minimum} or more.")
    return value


def _lanes(text: str) -> tuple[str, ...]:
    lanes = tuple(part.strip() for part in text.split(",") if part.strip())
    if not lanes or set(lanes) - set(LANES) or len(set(lanes)) != len(lanes):
        raise BadSettings(f"NOVELLA_LANES is {text!r}; it must be fast, slow or fast,slow.")
    return lanes


def _hosts(environ: Mapping[str, str], hypervisor: str, count: int) -> tuple[str, ...]:
    if hypervisor == "fake" and "NOVELLA_HOST" not in environ:
        return tuple(f"fake-{number:03}" for number in range(1, count + 1))
    host = environ.get("NOVELLA_HOST", socket.gethostname())
    try:
        compute_queue(host)
    except ValueError as exc:
        raise BadSettings(f"NOVELLA_HOST: {exc}") from exc
    return (host,)


def _address(environ: Mapping[str, str], name: str) -> str:
    text = environ.get(name, "").strip()
    try:
        address = ipaddress.ip_address(text) if text else None
    except ValueError as exc:
        raise BadSettings(f"{name} is {text!r}; it must be an address.") from exc
    if address and (address.is_multicast or address.is_unspecified or address.is_loopback):
        raise BadSettings(f"{name} is {text}; other hosts must reach this one there.")
    return str(address or "")


def _wires(environ: Mapping[str, str]) -> dict[str, str]:
    try:
        return interfaces(environ.get("NOVELLA_PHYSICAL_NETWORKS", ""))
    except ValueError as exc:
        raise BadSettings(f"NOVELLA_PHYSICAL_NETWORKS: {exc}.") from exc


def _fake_settings(environ: Mapping[str, str]) -> FakeSettings:
    sizes = _pairs(environ, "NOVELLA_FAKE_INVENTORY")
    unknown = set(sizes) - {"vcpus", "memory_mb", "disk_gb"}
    if unknown:
        raise BadSettings(f"NOVELLA_FAKE_INVENTORY does not know {', '.join(sorted(unknown))}.")
    whole: dict[str, Any] = {name: int(value) for name, value in sizes.items()}
    hosts = int(_number(environ, "NOVELLA_HOSTS", 1, minimum=1))
    return FakeSettings(hosts=hosts, delays=_pairs(environ, "NOVELLA_FAKE_DELAYS"), **whole)


def _pairs(environ: Mapping[str, str], name: str) -> dict[str, float]:
    try:
        return {
            key.strip(): float(value)
            for key, value in (part.split("=", 1) for part in environ.get(name, "").split(",") if part)
        }
    except ValueError as exc:
        raise BadSettings(f"{name} must look like name=number,name=number.") from exc
