"""A complete hypervisor in memory: every promise of HypervisorDriver kept, without a guest.

Domains are kept as one small JSON file each, so that they outlive a killed agent as real guests do.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from compute_agent.drivers.base import DomainFacts, DomainSpec, Interface, Inventory, LifecycleListener, PowerState
from compute_agent.drivers.fault_plan import FaultPlan
from compute_agent.errors import DomainNotFound, DriverError
from compute_agent.files import replace_file

_OFF = frozenset({PowerState.SHUTDOWN, PowerState.CRASHED})
_GB = 1024
# One thread for all fake hosts of the process: events stay in order, and thousands of hosts cost one thread.
_ANNOUNCER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fake-events")


@dataclass(frozen=True)
class FakeSize:
    """What a fake host has, and whether it refuses to promise more memory than that to running domains."""

    vcpus: int = 64
    memory_mb: int = 256 * _GB
    disk_gb: int = 2_000
    is_overcommit_refused: bool = False


@dataclass(frozen=True)
class FakeDomain:
    """A domain and its power state."""

    spec: DomainSpec
    state: PowerState = PowerState.SHUTDOWN
    started_at: float = 0.0


@dataclass
class _Shelf:
    """The domains of a host in memory and, with a folder, on disk."""

    folder: Path | None
    domains: dict[str, FakeDomain] = field(default_factory=dict)

    def load(self) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob("*.json"):
            domain = msgspec.json.decode(path.read_bytes(), type=FakeDomain)
            self.domains[domain.spec.uuid] = domain

    def put(self, domain: FakeDomain) -> None:
        self.domains[domain.spec.uuid] = domain
        if self.folder is not None:
            replace_file(self.folder / f"{domain.spec.uuid}.json", msgspec.json.encode(domain))

    def drop(self, uuid: str) -> FakeDomain | None:
        if self.folder is not None:
            (self.folder / f"{uuid}.json").unlink(missing_ok=True)
        return self.domains.pop(uuid, None)


class FakeHypervisor:
    """See HypervisorDriver.

    Args:
        host: the name that it reports.
        size: what it has.
        folder: where its domains are kept; None forgets them with the process.
        faults: what goes wrong.
        delays: how long each verb takes, in seconds, by its name; `shutdown` is how long a guest takes to obey
            the power button, and a negative one means that it never does.
    """

    def __init__(
        self,
        host: str,
        size: FakeSize | None = None,
        *,
        folder: Path | None = None,
        faults: FaultPlan | None = None,
        delays: Mapping[str, float] | None = None,
    ) -> None:
        self.host = host
        self.size = size or FakeSize()
        self.faults = faults or FaultPlan()
        self._delays = dict(delays or {})
        self._lock = threading.RLock()
        self._listeners: list[LifecycleListener] = []
        self._timers: set[threading.Timer] = set()
        self._shelf = _Shelf(folder)
        self._shelf.load()

    def inventory(self) -> Inventory:
        """See HypervisorDriver."""
        self._suffer("inventory", "")
        with self._lock:
            promised_mb = self._memory_promised_mb()
        return Inventory(
            hypervisor_hostname=self.host,
            hypervisor_type="fake",
            hypervisor_version=1_000_000,
            vcpus=self.size.vcpus,
            memory_mb=self.size.memory_mb,
            memory_mb_free=self.size.memory_mb - promised_mb,
            disk_gb=self.size.disk_gb,
            disk_gb_free=self.size.disk_gb,
            cpu_model="fake",
            cpu_vendor="fake",
            cpu_cores=self.size.vcpus,
        )

    def list_domains(self) -> dict[str, PowerState]:
        """See HypervisorDriver."""
        self._suffer("list_domains", "")
        with self._lock:
            return {uuid: domain.state for uuid, domain in self._shelf.domains.items()}

    def power_state(self, uuid: str) -> PowerState:
        """See HypervisorDriver."""
        self._suffer("power_state", uuid)
        return self._domain(uuid).state

    def inspect(self, uuid: str) -> DomainFacts:
        """See HypervisorDriver."""
        self._suffer("inspect", uuid)
        domain = self._domain(uuid)
        spec = domain.spec
        return DomainFacts(
            name=spec.name,
            state=domain.state,
            vcpus=spec.vcpus,
            memory_mb=spec.memory_mb,
            disks=tuple(disk.path for disk in spec.disks),
            taps=tuple(one.tap for one in spec.interfaces),
        )

    def define(self, spec: DomainSpec) -> None:
        """See HypervisorDriver."""
        self._suffer("define", spec.uuid)
        with self._lock:
            before = self._shelf.domains.get(spec.uuid)
            self._shelf.put(replace(before, spec=spec) if before else FakeDomain(spec))

    def start(self, uuid: str) -> None:
        """See HypervisorDriver."""
        self._domain(uuid)
        self._suffer("start", uuid)
        with self._lock:
            domain = self._domain(uuid)
            if domain.state is PowerState.RUNNING:
                return
            wanted_mb = self._memory_promised_mb() + domain.spec.memory_mb
            if self.size.is_overcommit_refused and wanted_mb > self.size.memory_mb:
                raise DriverError(f"cannot set up guest memory: {wanted_mb} MiB of {self.size.memory_mb} wanted")
            self._shelf.put(replace(domain, state=PowerState.RUNNING, started_at=time.time()))
            _write_banner(domain.spec)
        self._tell(uuid, PowerState.RUNNING)

    def request_shutdown(self, uuid: str) -> None:
        """See HypervisorDriver."""
        self._suffer("request_shutdown", uuid)
        if self._domain(uuid).state in _OFF:
            return
        obeys_after = self._delays.get("shutdown", 0.0)
        if obeys_after == 0:
            self._switch_off(uuid, PowerState.SHUTDOWN)
        elif obeys_after > 0:
            self._later(obeys_after, uuid)

    def power_off(self, uuid: str) -> None:
        """See HypervisorDriver."""
        self._domain(uuid)
        self._suffer("power_off", uuid)
        self._switch_off(uuid, PowerState.SHUTDOWN)

    def undefine(self, uuid: str) -> None:
        """See HypervisorDriver."""
        self._suffer("undefine", uuid)
        with self._lock:
            domain = self._shelf.drop(uuid)
        if domain is not None and domain.state not in _OFF:
            self._tell(uuid, PowerState.SHUTDOWN)

    def set_interfaces(self, uuid: str, interfaces: Sequence[Interface]) -> None:
        """See HypervisorDriver."""
        self._domain(uuid)
        self._suffer("set_interfaces", uuid)
        with self._lock:
            domain = self._domain(uuid)
            self._shelf.put(replace(domain, spec=replace(domain.spec, interfaces=tuple(interfaces))))

    def copy_root_disk(self, uuid: str, path: str) -> None:
        """See HypervisorDriver. There is nothing to copy."""
        self._domain(uuid)
        self._suffer("copy_root_disk", uuid)

    def crash(self, uuid: str) -> None:
        """Let the guest die by itself, as a killed QEMU does."""
        self._domain(uuid)
        self._switch_off(uuid, PowerState.CRASHED)

    def subscribe(self, listener: LifecycleListener) -> None:
        """See HypervisorDriver."""
        with self._lock:
            self._listeners.append(listener)

    def close(self) -> None:
        """See HypervisorDriver."""
        with self._lock:
            timers = list(self._timers)
            self._listeners.clear()
        for timer in timers:
            timer.cancel()

    def _domain(self, uuid: str) -> FakeDomain:
        with self._lock:
            domain = self._shelf.domains.get(uuid)
        if domain is None:
            raise DomainNotFound(f"no domain {uuid} on {self.host}")
        return domain

    def _memory_promised_mb(self) -> int:
        return sum(domain.spec.memory_mb for domain in self._shelf.domains.values() if domain.state not in _OFF)

    def _switch_off(self, uuid: str, state: PowerState) -> None:
        with self._lock:
            domain = self._shelf.domains.get(uuid)
            if domain is None or domain.state in _OFF:
                return
            self._shelf.put(replace(domain, state=state))
        self._tell(uuid, state)

    def _later(self, seconds: float, uuid: str) -> None:
        timer = threading.Timer(seconds, lambda: self._switch_off(uuid, PowerState.SHUTDOWN))
        timer.daemon = True
        with self._lock:
            self._timers = {one for one in self._timers if one.is_alive()} | {timer}
            timer.start()

    def _tell(self, uuid: str, state: PowerState) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            _ANNOUNCER.submit(listener, uuid, state)

    def _suffer(self, verb: str, uuid: str) -> None:
        delay = self._delays.get(verb, 0.0)
        if delay > 0:
            time.sleep(delay)
        self.faults.strike(verb, uuid)


def _write_banner(spec: DomainSpec) -> None:
    """Append what a guest's console would show, where the storage driver keeps such a log."""
    log = Path(spec.console_log)
    if spec.console_log and log.parent.is_dir():
        with log.open("a") as stream:
            stream.write(f"FAKE CONSOLE OUTPUT\nguest {spec.name} booted\nlogin:\n")
