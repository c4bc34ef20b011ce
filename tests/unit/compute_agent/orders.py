"""Orders and a host of fakes for the agent's tests."""

from dataclasses import dataclass, field
from typing import Any, TypeVar

from compute_agent.drivers.fake import FakeHypervisor
from compute_agent.fences import MemoryFences
from compute_agent.host import Host
from compute_agent.locks import MemoryLocks
from compute_agent.network.fake import FakeNetwork
from compute_agent.storage.fake import FakeStorage
from compute_agent.tasks import Agent, Station
from contracts.compute import FixedIpSpec, ImageSpec, NetworkSpec, PortSpec, ServerSpec
from contracts.envelope import Order
from contracts.networks import SubnetSpec
from tests.fixtures.ids import new_id

OrderKind = TypeVar("OrderKind", bound=Order)

HOST = "host-1"
IMAGE = ImageSpec(
    id="3c8e1f80-6d2f-4f0c-9f1e-0c1a3a0a2b01",
    url="http://127.0.0.1:1/image",
    checksum="0",
    checksum_algorithm="sha512",
    disk_format="qcow2",
    size_bytes=1,
    virtual_size_bytes=1024**3,
)


@dataclass
class FakeClock:
    """A clock that moves only when somebody sleeps."""

    now: float = 1_000.0
    slept: list[float] = field(default_factory=list)

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class FakeHost:
    """A host made of fakes and a clock that the test moves."""

    clock: FakeClock = field(default_factory=FakeClock)
    driver: FakeHypervisor = field(default_factory=lambda: FakeHypervisor(HOST))
    network: FakeNetwork = field(default_factory=FakeNetwork)
    storage: FakeStorage = field(default_factory=FakeStorage)

    @property
    def host(self) -> Host:
        return Host(HOST, self.driver, self.network, self.storage, self.clock.time, self.clock.sleep)

    def agent(self) -> Agent:
        return Agent({HOST: Station(self.host, MemoryLocks(), MemoryFences())})


def server_spec(**changes: Any) -> ServerSpec:
    network_id = new_id()
    subnet = SubnetSpec(id=new_id(), cidr="10.0.0.0/24", gateway_ip="10.0.0.1")
    port = PortSpec(
        id=new_id(),
        mac_address="fa:16:3e:00:00:01",
        network=NetworkSpec(id=network_id, subnets=[subnet]),
        fixed_ips=[FixedIpSpec(subnet_id=subnet.id, ip_address="10.0.0.5")],
    )
    values: dict[str, Any] = {
        "uuid": new_id(),
        "name": "instance-00000001",
        "hostname": "s1",
        "project_id": "p",
        "user_id": "u",
        "vcpus": 1,
        "memory_mb": 64,
        "disk_gb": 1,
        "image": IMAGE,
        "ports": [port],
    }
    return ServerSpec(**{**values, **changes})


def order(kind: type[OrderKind], instance_uuid: str, **values: Any) -> OrderKind:
    fences = {"operation_id": new_id(), "step": "s", "host": HOST, "attempt": 1, "not_after": 1_100.0}
    return kind(instance_uuid=instance_uuid, **{**fences, **values})
