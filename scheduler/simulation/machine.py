"""What a fake host is, and how much of it may be promised."""

import math
from dataclasses import dataclass, field

from contracts.scheduling import HostState, RequestSpec
from scheduler.simulation.ratios import Ratios
from scheduler.simulation.trace import ServerType


@dataclass(frozen=True)
class Machine:
    """What a fake host has. `ratios`: how often each of it may be promised."""

    vcpus: int = 64
    memory_mb: int = 262_144
    disk_gb: int = 4_096
    ratios: Ratios = field(default_factory=Ratios)

    def request(self, one: ServerType) -> RequestSpec:
        """Return what a type needs of this machine, rounded up."""
        return RequestSpec(
            vcpus=math.ceil(one.cores * self.vcpus),
            memory_mb=math.ceil(one.memory * self.memory_mb),
            disk_gb=math.ceil(one.disk * self.disk_gb),
        )

    def host(self, name: str) -> HostState:
        """Return an empty host of this kind."""
        return HostState(
            host=name,
            generation=1,
            vcpus=int(self.vcpus * self.ratios.vcpu),
            memory_mb=int(self.memory_mb * self.ratios.memory),
            disk_gb=int(self.disk_gb * self.ratios.disk),
        )


def fake_hosts(count: int, machine: Machine) -> list[HostState]:
    """Return that many empty hosts."""
    return [machine.host(f"fake-{number}") for number in range(count)]
