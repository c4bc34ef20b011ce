"""A complete network in memory: every promise of NetworkDriver kept, without a kernel.

With a folder it keeps one small file per instance, so that taps outlive a killed agent as real ones do.
"""

import threading
from pathlib import Path

import msgspec

from compute_agent.drivers.fault_plan import FaultPlan
from compute_agent.errors import VifPlugFailed
from compute_agent.network.names import tap_name
from contracts.compute import PortSpec

PortIds = dict[str, bool]  # port id -> whether it has an address, so a reservation and metadata


class FakeNetwork:
    """See NetworkDriver.

    Args:
        folder: where the plugged ports are kept; None forgets them with the process.
        faults: what goes wrong, by the verbs `plug` and `unplug`.
    """

    def __init__(self, folder: Path | None = None, faults: FaultPlan | None = None) -> None:
        self._lock = threading.Lock()
        self._folder = folder
        self._faults = faults or FaultPlan()
        self._instances: dict[str, PortIds] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("*.json"):
                self._instances[path.stem] = msgspec.json.decode(path.read_bytes(), type=PortIds)

    def plug(self, instance_uuid: str, ports: list[PortSpec], metadata: dict[str, object], user_data: str) -> None:
        """See NetworkDriver."""
        self._faults.strike("plug", instance_uuid, VifPlugFailed)
        if not ports:
            return
        with self._lock:
            plugged = self._instances.setdefault(instance_uuid, {})
            plugged.update({port.id: bool(port.fixed_ips) for port in ports})
            if self._folder is not None:
                path = self._folder / f"{instance_uuid}.json"
                fresh = path.with_suffix(".new")
                fresh.write_bytes(msgspec.json.encode(plugged))
                fresh.replace(path)

    def unplug(self, instance_uuid: str) -> None:
        """See NetworkDriver."""
        self._faults.strike("unplug", instance_uuid, VifPlugFailed)
        with self._lock:
            if self._instances.pop(instance_uuid, None) is not None and self._folder is not None:
                (self._folder / f"{instance_uuid}.json").unlink(missing_ok=True)

    def tap_name(self, port_id: str) -> str:
        """See NetworkDriver."""
        return tap_name(port_id)

    def plugged_ports(self) -> dict[str, str]:
        """See NetworkDriver."""
        with self._lock:
            return {port_id: uuid for uuid, ports in self._instances.items() for port_id in ports}

    def leases(self) -> set[str]:
        """See NetworkDriver."""
        with self._lock:
            return {port for ports in self._instances.values() for port, has_address in ports.items() if has_address}

    def metadata_ports(self) -> set[str]:
        """See NetworkDriver."""
        return self.leases()

    def restore(self) -> None:
        """See NetworkDriver."""

    def close(self) -> None:
        """See NetworkDriver."""

    def purge(self) -> None:
        """See NetworkDriver."""
        for instance_uuid in list(self._instances):
            self.unplug(instance_uuid)
