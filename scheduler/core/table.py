"""All hosts as a struct of arrays: a column per number, a row per host, dense, so that a scan is a few SIMD passes."""

from collections.abc import Iterable

import numpy as np

from contracts.routing import HOST_NAME
from contracts.scheduling import HostState, RequestSpec
from scheduler.core.columns import Columns, Mask, Numbers, Vocabulary
from scheduler.core.interning import Codes
from scheduler.core.traits import TraitBits

# No machine has more of anything; a report that says so is refused, or it would draw every server to its host.
MOST_VCPUS = 2**20
MOST_MEMORY_MB = 2**34
MOST_DISK_GB = 2**34
_MOST_GENERATION = 2**62

_LIMITS = {
    "generation": _MOST_GENERATION,
    "vcpus": MOST_VCPUS,
    "vcpus_used": MOST_VCPUS,
    "memory_mb": MOST_MEMORY_MB,
    "memory_mb_used": MOST_MEMORY_MB,
    "disk_gb": MOST_DISK_GB,
    "disk_gb_used": MOST_DISK_GB,
}
_ENABLED, _UP, _SOUND = range(3)
_GENERATION, _VCPUS, _VCPUS_USED, _MEMORY, _MEMORY_USED, _DISK, _DISK_USED = range(7)
_ZONE, _ARCHITECTURE, _HYPERVISOR, _VM_MODE, _STAMP = range(7, 12)


class RefusedHostError(ValueError):
    """The state of a host cannot be true. The sentence says why; what was known of the host stays."""


class HostTable:
    """The hosts that the scheduler knows. Not safe for threads: its owner holds a lock.

    Negative numbers in a state count as 0. `generation` orders the states of a host: an older one is ignored.
    """

    def __init__(self, capacity: int = 64) -> None:
        self._names: list[str] = []
        self._flags: Mask = np.zeros((3, capacity), dtype=np.bool_)
        self._numbers: Numbers = np.zeros((12, capacity), dtype=np.int64)
        self._rows: dict[str, int] = {}
        self._vocabulary = Vocabulary(rows=self._rows, zones=Codes(), words=Codes(), traits=TraitBits(capacity))
        self._stamps = 0

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def name(self, row: int) -> str:
        """Return the name of the host in the row."""
        return self._names[row]

    def upsert(self, state: HostState) -> bool:
        """Take a host's state; return False when a newer one is known already.

        Raises:
            RefusedHostError: the name is no host name, or a number is none or larger than any machine.
        """
        _check(state)
        row = self._rows.get(state.host)
        if row is not None and state.generation < self._numbers[_GENERATION, row]:
            return False
        self._write(self._append(state.host) if row is None else row, state)
        return True

    def keep_only(self, names: Iterable[str]) -> int:
        """Forget every host that is not named, and return how many those were."""
        gone = self._rows.keys() - set(names)
        for name in gone:
            self._remove(name)
        return len(gone)

    def promise(self, name: str, request: RequestSpec) -> int | None:
        """Count a server as placed on a host until its next state arrives.

        Returns:
            A stamp for `take_back`, or None when the host is not known.
        """
        row = self._rows.get(name)
        if row is None:
            return None
        self._use(row, request, 1)
        return int(self._numbers[_STAMP, row])

    def take_back(self, name: str, request: RequestSpec, stamp: int) -> bool:
        """Undo a promise, unless a state that arrived since has replaced it; return whether it was undone."""
        row = self._rows.get(name)
        if row is None or self._numbers[_STAMP, row] != stamp:
            return False
        self._use(row, request, -1)
        return True

    def columns(self, request: RequestSpec) -> Columns:
        """Return the hosts as one decision sees them; what it takes from them does not change the table."""
        size = len(self)
        numbers = self._numbers[:, :size]
        return Columns(
            vocabulary=self._vocabulary,
            first=0,
            is_enabled=self._flags[_ENABLED, :size],
            is_up=self._flags[_UP, :size],
            is_sound=self._flags[_SOUND, :size],
            zone=numbers[_ZONE],
            architecture=numbers[_ARCHITECTURE],
            hypervisor_type=numbers[_HYPERVISOR],
            vm_mode=numbers[_VM_MODE],
            vcpus=numbers[_VCPUS],
            memory_mb=numbers[_MEMORY],
            vcpus_free=numbers[_VCPUS] - numbers[_VCPUS_USED],
            memory_mb_free=numbers[_MEMORY] - numbers[_MEMORY_USED],
            disk_gb_free=numbers[_DISK] - numbers[_DISK_USED],
            members=self._members(request),
            group_size=len(request.group_hosts),
        )

    def _members(self, request: RequestSpec) -> Numbers:
        members = np.zeros(len(self), dtype=np.int64)
        for name in request.group_hosts:
            row = self._rows.get(name)
            if row is not None:
                members[row] += 1
        return members

    def _use(self, row: int, request: RequestSpec, servers: int) -> None:
        self._numbers[_VCPUS_USED, row] += servers * request.vcpus
        self._numbers[_MEMORY_USED, row] += servers * request.memory_mb
        self._numbers[_DISK_USED, row] += servers * request.disk_gb

    def _write(self, row: int, state: HostState) -> None:
        self._stamps += 1
        words = self._vocabulary.words
        self._flags[:, row] = (state.is_enabled, state.is_up, state.is_sound)
        self._numbers[:, row] = (
            state.generation,
            max(state.vcpus, 0),
            max(state.vcpus_used, 0),
            max(state.memory_mb, 0),
            max(state.memory_mb_used, 0),
            max(state.disk_gb, 0),
            max(state.disk_gb_used, 0),
            self._vocabulary.zones.code(state.availability_zone),
            words.code(state.architecture.lower()),
            words.code(state.hypervisor_type.lower()),
            words.code(state.vm_mode.lower()),
            self._stamps,
        )
        self._vocabulary.traits.write(row, state.traits)

    def _append(self, name: str) -> int:
        row = len(self._names)
        if row == self._numbers.shape[1]:
            self._grow(2 * row)
        self._names.append(name)
        self._rows[name] = row
        return row

    def _remove(self, name: str) -> None:
        """Fill the hole with the last row, so that the columns stay dense."""
        row = self._rows.pop(name)
        last = len(self._names) - 1
        moved = self._names.pop()
        if row != last:
            self._flags[:, row] = self._flags[:, last]
            self._numbers[:, row] = self._numbers[:, last]
            self._vocabulary.traits.move(last, row)
            self._names[row] = moved
            self._rows[moved] = row

    def _grow(self, capacity: int) -> None:
        used = len(self._names)
        flags: Mask = np.zeros((self._flags.shape[0], capacity), dtype=np.bool_)
        numbers: Numbers = np.zeros((self._numbers.shape[0], capacity), dtype=np.int64)
        flags[:, :used] = self._flags[:, :used]
        numbers[:, :used] = self._numbers[:, :used]
        self._flags, self._numbers = flags, numbers
        self._vocabulary.traits.reserve(capacity)


def _check(state: HostState) -> None:
    if not HOST_NAME.fullmatch(state.host):
        raise RefusedHostError(f"{state.host!r} cannot be a host name")
    for field, most in _LIMITS.items():
        number = getattr(state, field)
        # HostState checks types only when it is read from the wire; NaN is a float and ends here.
        if not isinstance(number, int) or number > most:
            raise RefusedHostError(f"host {state.host} reports {field}={number!r}, which no machine has")
