"""Instances, hosts and who asks, for tests of the control plane."""

import uuid

from django.utils import timezone

from cloud.compute.models import ComputeNode, Instance, Service
from cloud.core.context import RequestContext, new_request_id
from cloud.images.models import Image
from cloud.placement.services import providers
from contracts import RELEASE
from contracts.scheduling import RequestSpec

PROJECT = "p" * 32
USER = "u" * 32


def make_context(**overrides: object) -> RequestContext:
    values = {"request_id": new_request_id(), "user_id": USER, "project_id": PROJECT, "roles": frozenset({"member"})}
    return RequestContext(**values | overrides)


def make_instance(*, vcpus: int = 1, memory_mb: int = 512, disk_gb: int = 1, **overrides: object) -> Instance:
    now = timezone.now()
    flavor = {
        "flavorid": "1", "name": "m1.tiny", "vcpus": vcpus, "memory_mb": memory_mb, "disk_gb": disk_gb,
        "ephemeral_gb": 0, "swap_mb": 0, "extra_specs": {},
    }
    values = {
        "project_id": PROJECT, "user_id": USER, "display_name": "s", "hostname": "s", "flavor": flavor,
        "created_at": now, "updated_at": now,
        "request_spec": RequestSpec(vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb).to_wire(),
    }
    return Instance.objects.create(**values | overrides)


def make_host(
    name: str, *, vcpus: int = 8, memory_mb: int = 8192, disk_gb: int = 100, **underlay: object
) -> str:
    """A host that is up, with an agent that nobody started. `underlay`: what it carries networks by."""
    now = timezone.now()
    Service.objects.create(binary="nova-compute", host=name, last_seen_at=now, started_at=now, is_up=True)
    ComputeNode.objects.create(
        host=name, hypervisor_hostname=name, vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb, release=RELEASE,
        **underlay,
    )
    totals = {providers.VCPU: vcpus, providers.MEMORY_MB: memory_mb, providers.DISK_GB: disk_gb}
    providers.report([providers.Said(name, str(uuid.uuid4()), totals)])
    return name


def make_image(**overrides: object) -> Image:
    """An active image of which a fake host never asks for the bytes."""
    values = {
        "name": "tiny", "owner": PROJECT, "status": "active", "visibility": "public", "disk_format": "qcow2",
        "container_format": "bare", "size": 1000, "virtual_size": 1000, "os_hash_algo": "sha512",
        "os_hash_value": "0" * 128,
    }
    return Image.objects.create(**values | overrides)
