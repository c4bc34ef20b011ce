"""Hosts for tests: what an agent's report would have made of them."""

from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from cloud.compute.models import ComputeNode, Instance, Service
from cloud.placement.models import Allocation, Inventory, ResourceProvider
from contracts import RELEASE


def make_host(name: str, *, is_fresh: bool = True, binary: str = "nova-compute") -> Service:
    service = Service.objects.create(binary=binary, host=name)
    seen = Now() if is_fresh else Now() - timedelta(minutes=5)
    Service.objects.filter(pk=service.pk).update(last_seen_at=seen)
    if binary == "nova-compute":
        node = ComputeNode.objects.create(
            host=name, hypervisor_hostname=f"{name}.example.org", vcpus=8, memory_mb=16384, disk_gb=100,
            disk_gb_free=90, running_vms=1, hypervisor_version=8000002, cpu_info={"arch": "x86_64"},
            uptime_text="up 3 days", release=RELEASE,
        )  # fmt: skip
        provider = ResourceProvider.objects.create(uuid=node.uuid, name=name)
        for resource, total, reserved in (("VCPU", 8, 0), ("MEMORY_MB", 16384, 512), ("DISK_GB", 100, 0)):
            Inventory.objects.create(
                provider=provider, resource_class=resource, total=total, reserved=reserved, capacity=total - reserved
            )
    return service


def make_server(host: str, project_id: str, **columns) -> Instance:
    now = timezone.now()
    instance = Instance.objects.create(
        project_id=project_id, user_id="u", display_name="s", host=host, created_at=now, updated_at=now,
        **{"flavor": {"vcpus": 2, "memory_mb": 1024, "disk_gb": 10, "name": "m1"}, "vm_state": "active"} | columns,
    )  # fmt: skip
    provider = ResourceProvider.objects.filter(name=host).first()
    for resource, amount in (("VCPU", 2), ("MEMORY_MB", 1024), ("DISK_GB", 10)) if provider else ():
        Allocation.objects.create(
            provider=provider, consumer_uuid=instance.uuid, resource_class=resource, used=amount,
            project_id=project_id, user_id="u",
        )  # fmt: skip
        Inventory.objects.filter(provider=provider, resource_class=resource).update(used=amount)
    return instance
