"""Real or fake: the only place that chooses the drivers."""
# ruff: noqa: PLC0415 - a fake host must not need libvirt, nor a real one the fakes

from compute_agent.drivers.fault_plan import FaultPlan
from compute_agent.fences import MemoryFences
from compute_agent.host import Host
from compute_agent.locks import MemoryLocks
from compute_agent.settings import BadSettings, Settings
from compute_agent.tasks import Agent, Station


def build_agent(settings: Settings) -> Agent:
    """Make the drivers of every host that the process speaks for."""
    if settings.hypervisor != "fake":
        raise BadSettings("NOVELLA_HYPERVISOR: only fake is built so far.")
    return Agent(stations={host: _fake_station(settings, host) for host in settings.hosts})


def _fake_station(settings: Settings, name: str) -> Station:
    from compute_agent.drivers.fake import FakeHypervisor, FakeSize
    from compute_agent.network.fake import FakeNetwork
    from compute_agent.storage.fake import FakeStorage

    fake = settings.fake
    folder = settings.state_dir / "fake"
    size = FakeSize(vcpus=fake.vcpus, memory_mb=fake.memory_mb, disk_gb=fake.disk_gb)
    faults = FaultPlan(path=folder / f"{name}.faults.json")
    host = Host(
        name=name,
        driver=FakeHypervisor(name, size, folder=folder / name / "domains", faults=faults, delays=fake.delays),
        network=FakeNetwork(folder / name / "ports", faults),
        storage=FakeStorage(size.disk_gb, folder=folder / name / "storage", faults=faults),
    )
    return Station(host, MemoryLocks(), MemoryFences())
