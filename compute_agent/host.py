"""One host as the operations see it: its drivers, its clock, and nothing of how orders arrive."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from compute_agent.drivers.base import HypervisorDriver
from compute_agent.network.base import NetworkDriver
from compute_agent.silence import Silence
from compute_agent.storage.base import StorageDriver


@dataclass(frozen=True)
class Host:
    """A host's name and the doors to its hypervisor, network and disks.

    `clock` gives the control plane's time in seconds since the epoch, by which orders are judged; `stamp` the same,
    never less than before, for reports. `sleep` waits. They are given so that tests need no real time. `silence` knows
    whether the host may have been given up.
    """

    name: str
    driver: HypervisorDriver
    network: NetworkDriver
    storage: StorageDriver
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    stamp: Callable[[], float] = time.time
    silence: Silence = field(default_factory=Silence)
