"""What filters and weighers look at: hosts as columns of numbers, as they stand within one decision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.scheduling import RequestSpec
from scheduler.core.interning import Codes
from scheduler.core.traits import TraitBits

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How names become numbers. Rows are those of the table; words are lower case, zones as they are written."""

    rows: Mapping[str, int]
    zones: Codes
    words: Codes
    traits: TraitBits


@dataclass(slots=True)
class Columns:
    """Hosts, one per position. The `_free` columns and `members` are the decision's own and change as it picks.

    Attributes:
        first: row in the table of the first position.
        members: how many members of the request's server group each host has.
        group_size: members of the group anywhere, also on hosts that the table does not know.
    """

    vocabulary: Vocabulary
    first: int
    is_enabled: Mask
    is_up: Mask
    is_sound: Mask
    zone: Numbers
    architecture: Numbers
    hypervisor_type: Numbers
    vm_mode: Numbers
    vcpus: Numbers
    memory_mb: Numbers
    vcpus_free: Numbers
    memory_mb_free: Numbers
    disk_gb_free: Numbers
    members: Numbers
    group_size: int

    @property
    def size(self) -> int:
        """How many hosts there are."""
        return len(self.zone)

    def named(self, names: Iterable[str]) -> Mask:
        """Return a mask of the hosts with these names."""
        mask = np.zeros(self.size, dtype=np.bool_)
        for name in names:
            position = self.vocabulary.rows.get(name, -1) - self.first
            if 0 <= position < self.size:
                mask[position] = True
        return mask

    def only(self, position: int) -> "Columns":
        """Return the one host at the position, sharing memory with this."""
        part = slice(position, position + 1)
        return Columns(
            vocabulary=self.vocabulary,
            first=self.first + position,
            is_enabled=self.is_enabled[part],
            is_up=self.is_up[part],
            is_sound=self.is_sound[part],
            zone=self.zone[part],
            architecture=self.architecture[part],
            hypervisor_type=self.hypervisor_type[part],
            vm_mode=self.vm_mode[part],
            vcpus=self.vcpus[part],
            memory_mb=self.memory_mb[part],
            vcpus_free=self.vcpus_free[part],
            memory_mb_free=self.memory_mb_free[part],
            disk_gb_free=self.disk_gb_free[part],
            members=self.members[part],
            group_size=self.group_size,
        )

    def place(self, position: int, request: RequestSpec) -> None:
        """Take what a server needs from the host at the position and count it as a member of the group."""
        self.vcpus_free[position] -= request.vcpus
        self.memory_mb_free[position] -= request.memory_mb
        self.disk_gb_free[position] -= request.disk_gb
        self.members[position] += 1
        self.group_size += 1
