"""Fill a database as years of use would: `python -m bench.seeding HOSTS SERVERS`, in the environment of a cloud.

Rows are written in bulk and past the services, so that 25,000 servers take seconds. What is written is what the
services would have left behind: `manage.py audit` agrees with it but for the hosts, which do not exist.
"""

import ipaddress
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import django

_AT_ONCE = 2000
_PROJECT = "demo"
_FLAVOR = {
    "flavorid": "1", "name": "m1.tiny", "vcpus": 1, "memory_mb": 512, "disk_gb": 1, "ephemeral_gb": 0, "swap_mb": 0,
    "extra_specs": {},
}  # fmt: skip
HOST_TOTALS = {"VCPU": 64, "MEMORY_MB": 131_072, "DISK_GB": 2_000}
_HELD = {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1}
_TRAITS = 10
# One server in so many is in ERROR, is tagged, was deleted long ago.
_FAILED, _TAGGED, _DEAD = 100, 10, 5


def seed(hosts: int, servers: int) -> None:
    """Make hosts and servers of the demo's project, each with a port, an address and its claims."""
    from cloud.identity.models import Project, User  # noqa: PLC0415 - Django must be set up

    project = Project.objects.get(name=_PROJECT).id
    user = User.objects.get(name=_PROJECT).id
    providers = make_hosts(hosts, servers)
    if servers:
        _make_servers(list(_instances(project, user, servers, hosts)), providers)


def bulk(model: Any, rows: Any) -> None:
    """Write many rows of a model."""
    model.objects.bulk_create(rows, batch_size=_AT_ONCE)


def host_name(number: int) -> str:
    """Return the name of a host by its number."""
    return f"host-{number:05d}"


def make_hosts(hosts: int, servers: int) -> dict[str, int]:
    """Make hosts that the servers are spread over; return their providers' ids by name."""
    from django.utils import timezone  # noqa: PLC0415

    from cloud.compute.models import ComputeNode, Service  # noqa: PLC0415
    from cloud.placement.models import Inventory, ProviderTrait, ResourceProvider  # noqa: PLC0415
    from contracts import RELEASE  # noqa: PLC0415

    now, names = timezone.now(), [host_name(number) for number in range(hosts)]
    held = Counter(host_name(number % hosts) for number in range(servers))
    bulk(Service, [Service(binary="nova-compute", host=one, last_seen_at=now, started_at=now) for one in names])
    bulk(ComputeNode, [
        ComputeNode(host=one, hypervisor_hostname=one, vcpus=HOST_TOTALS["VCPU"], memory_mb=HOST_TOTALS["MEMORY_MB"],
                    disk_gb=HOST_TOTALS["DISK_GB"], running_vms=held[one], release=RELEASE)
        for one in names
    ])  # fmt: skip
    bulk(ResourceProvider, [ResourceProvider(name=one) for one in names])
    ids = dict(ResourceProvider.objects.filter(name__startswith="host-").values_list("name", "id"))
    bulk(Inventory, [
        Inventory(provider_id=ids[one], resource_class=name, total=total, capacity=total, used=held[one] * _HELD[name])
        for one in names for name, total in HOST_TOTALS.items()
    ])  # fmt: skip
    bulk(ProviderTrait, [
        ProviderTrait(provider_id=ids[one], name=f"HW_CPU_X86_FEATURE_{number}")
        for one in names for number in range(_TRAITS)
    ])  # fmt: skip
    return ids


def _instances(project: str, user: str, servers: int, hosts: int) -> Iterator[Any]:
    from django.utils import timezone  # noqa: PLC0415

    from cloud.compute import states  # noqa: PLC0415
    from cloud.compute.models import Instance  # noqa: PLC0415
    from contracts.scheduling import RequestSpec  # noqa: PLC0415

    spec = RequestSpec(vcpus=1, memory_mb=512, disk_gb=1).to_wire()
    began = timezone.now() - timedelta(days=365)
    for number in range(servers + servers // _DEAD):
        at: datetime = began + timedelta(seconds=number)
        is_dead, is_failed = number >= servers, number % _FAILED == 0
        yield Instance(
            uuid=str(uuid.uuid4()), project_id=project, user_id=user, display_name=f"server-{number}",
            hostname=f"server-{number}", vm_state=states.DELETED if is_dead else states.ERROR if is_failed else
            states.ACTIVE, task_state="", power_state=1, host="" if is_dead else host_name(number % hosts),
            node="" if is_dead else host_name(number % hosts), availability_zone="nova", flavor=_FLAVOR,
            image_ref=str(uuid.UUID(int=1)), metadata={"role": f"role-{number % 7}"}, request_spec=spec,
            created_at=at, updated_at=at, launched_at=at, deleted=is_dead, deleted_at=at if is_dead else None,
        )  # fmt: skip


def _make_servers(instances: list[Any], providers: dict[str, int]) -> None:
    from cloud.compute.models import Instance, InstanceFault, InstanceTag  # noqa: PLC0415
    from cloud.placement.models import Allocation  # noqa: PLC0415

    living = [one for one in instances if not one.deleted]
    bulk(Instance, instances)
    bulk(InstanceFault, [
        InstanceFault(instance_uuid=one.uuid, message="No valid host") for one in living if one.vm_state == "error"
    ])  # fmt: skip
    bulk(InstanceTag, [InstanceTag(instance_uuid=one.uuid, tag="blue") for one in living[::_TAGGED]])
    bulk(Allocation, [
        Allocation(provider_id=providers[one.host], consumer_uuid=one.uuid, resource_class=name, used=amount,
                   project_id=one.project_id, user_id=one.user_id)
        for one in living for name, amount in _HELD.items()
    ])  # fmt: skip
    _make_ports(living)


def _make_ports(living: list[Any]) -> None:
    from cloud.networks.models import FixedIp, Network, Port, SecurityGroup, Subnet  # noqa: PLC0415

    project = living[0].project_id
    network = Network.objects.create(name="seeded", project_id=project, segmentation_id=1)
    subnet = Subnet.objects.create(network=network, project_id=project, cidr="10.64.0.0/12")
    group, _ = SecurityGroup.objects.get_or_create(project_id=project, is_default=True, defaults={"name": "default"})
    first = int(ipaddress.ip_address("10.64.0.10"))
    ports = [
        Port(network=network, project_id=project, mac_address=f"fa:16:3e:{number >> 16:02x}:{number >> 8 & 255:02x}:"
             f"{number & 255:02x}", status="ACTIVE", device_id=one.uuid, device_owner="compute:nova", host=one.host,
             is_created_for_server=True, position=0)
        for number, one in enumerate(living)
    ]  # fmt: skip
    bulk(Port, ports)
    bulk(FixedIp, [
        FixedIp(port=port, subnet=subnet, ip_address=str(ipaddress.ip_address(first + number)))
        for number, port in enumerate(ports)
    ])  # fmt: skip
    through = Port.security_groups.through
    bulk(through, [through(port_id=port.id, securitygroup_id=group.id) for port in ports])


if __name__ == "__main__":
    django.setup()
    seed(int(sys.argv[1]), int(sys.argv[2]))
