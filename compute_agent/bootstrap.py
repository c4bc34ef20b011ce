"""Real or fake: the only place that chooses the drivers."""
# ruff: noqa: PLC0415 - a fake host must not need libvirt, nor a real one the fakes

import time
from pathlib import Path
from typing import Any

from compute_agent.clock import BrokerClock
from compute_agent.credential import Credential
from compute_agent.fences import FileFences, MemoryFences
from compute_agent.host import Host
from compute_agent.locks import FileLocks, MemoryLocks
from compute_agent.settings import Settings
from compute_agent.silence import Silence
from compute_agent.tasks import Agent, Station

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def build_agent(settings: Settings, clock: BrokerClock | None = None) -> Agent:
    """Make the drivers of every host that the process speaks for; without a clock the host's own is believed."""
    build = _fake_station if settings.hypervisor == "fake" else _libvirt_station
    times: dict[str, Any] = {} if clock is None else {"clock": clock.now, "stamp": clock.stamp}
    # One for all hosts of a process: they are heard, or not, together.
    path = settings.state_dir / "spoken" / f"{settings.hosts[0]}.json"
    times["silence"] = Silence(path, times.get("clock", time.time), _BOOT_ID.read_text().strip())
    return Agent({host: build(settings, host, times) for host in settings.hosts}, Credential(settings).key)


def _fake_station(settings: Settings, name: str, times: dict[str, Any]) -> Station:
    from compute_agent.drivers.fake import FakeHypervisor, FakeSize
    from compute_agent.drivers.fault_plan import FaultPlan
    from compute_agent.network.fake import FakeNetwork, fake_underlay
    from compute_agent.storage.fake import FakeStorage

    fake = settings.fake
    folder = settings.state_dir / "fake" / name
    size = FakeSize(vcpus=fake.vcpus, memory_mb=fake.memory_mb, disk_gb=fake.disk_gb)
    faults = FaultPlan(path=settings.state_dir / "fake" / f"{name}.faults.json")
    host = Host(
        name=name,
        driver=FakeHypervisor(name, size, folder=folder / "domains", faults=faults, delays=fake.delays),
        network=FakeNetwork(folder / "ports", faults, fake_underlay(name, settings.wires)),
        storage=FakeStorage(fake.disk_gb, folder=folder / "storage", faults=faults),
        **times,
    )
    return Station(host, MemoryLocks(), MemoryFences())


def _libvirt_station(settings: Settings, name: str, times: dict[str, Any]) -> Station:
    from compute_agent.drivers.libvirt.driver import LibvirtDriver
    from compute_agent.drivers.libvirt.settings import LibvirtSettings
    from compute_agent.network.linux_bridge import LinuxBridgeNetwork
    from compute_agent.network.underlay import Underlay
    from compute_agent.storage.qcow2 import Qcow2Storage

    state_dir = settings.state_dir
    storage = Qcow2Storage(state_dir)
    libvirt = LibvirtSettings(
        uri=settings.libvirt_uri, disk_folder=storage.folder, virt_type=settings.virt_type, hostname=name
    )
    network = LinuxBridgeNetwork(state_dir, Underlay(settings.tunnel_ip, settings.wires))
    host = Host(name=name, driver=LibvirtDriver(libvirt), network=network, storage=storage, **times)
    return Station(host, FileLocks(state_dir / "locks"), FileFences(state_dir / "fences", host.clock))
