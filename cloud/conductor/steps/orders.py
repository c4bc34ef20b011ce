"""From rows to the orders that hosts are given. An order says everything, so that a host asks nobody."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cloud.compute.models import Instance, Operation
from cloud.images.models import Image
from cloud.images.services.blobs import signed_url
from cloud.placement.services.claims import Claim
from cloud.placement.services.providers import DISK_GB, MEMORY_MB, VCPU
from contracts.compute import COMMANDS, DestroyServer, ImageSpec, PortSpec, ServerSpec
from contracts.scheduling import RequestSpec

_LINK_SECONDS = 3600
CLEAN_UP = "clean_up"


def fence(operation: Operation, step: str) -> dict[str, Any]:
    """Return what every order of the operation's current attempt carries."""
    return {
        "operation_id": operation.id,
        "step": step,
        "instance_uuid": operation.instance_uuid,
        "host": operation.host,
        "attempt": operation.attempt,
        "not_after": operation.deadline.timestamp(),
        "request_id": operation.request_id,
        "begun_at": operation.started_at.timestamp(),
    }


def image_spec(image: Image, host: str) -> ImageSpec:
    """Return an image with a link that is good for this host alone."""
    return ImageSpec(
        id=image.id,
        url=signed_url(image, host, _LINK_SECONDS),
        checksum=image.os_hash_value or image.checksum or "",
        checksum_algorithm=(image.os_hash_algo or "") if image.os_hash_value else "md5",
        disk_format=image.disk_format or "raw",
        size_bytes=image.size or 0,
        virtual_size_bytes=image.virtual_size or 0,
    )


def server_spec(instance: Instance, ports: Sequence[PortSpec], image: Image | None) -> ServerSpec:
    """Return an instance as its host needs it."""
    flavor = instance.flavor
    return ServerSpec(
        uuid=instance.uuid,
        name=instance.name,
        hostname=instance.hostname,
        project_id=instance.project_id,
        user_id=instance.user_id,
        vcpus=flavor["vcpus"],
        memory_mb=flavor["memory_mb"],
        disk_gb=flavor["disk_gb"],
        ephemeral_gb=flavor.get("ephemeral_gb", 0),
        swap_mb=flavor.get("swap_mb", 0),
        image=image_spec(image, instance.host) if image else None,
        ports=list(ports),
        config_drive=instance.config_drive,
        user_data=instance.user_data,
        metadata=meta_data(instance),
        extra_specs=_texts(flavor.get("extra_specs", {})),
        image_properties=_texts(instance.image_properties),
    )


def meta_data(instance: Instance) -> dict[str, Any]:
    """Return the `meta_data.json` document.

    Source: https://docs.openstack.org/nova/latest/user/metadata.html
    """
    document: dict[str, Any] = {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "hostname": instance.hostname,
        "launch_index": instance.launch_index,
        "availability_zone": instance.availability_zone,
        "project_id": instance.project_id,
        "meta": dict(instance.metadata),
        "devices": [],
        "dedicated_cpus": [],
    }
    if instance.key_data:
        name = instance.key_name or "default"
        document["public_keys"] = {name: instance.key_data}
        document["keys"] = [{"name": name, "type": "ssh", "data": instance.key_data}]
    return document


def claim_of(instance: Instance, host: str) -> Claim:
    """Return what an instance holds of a host: what the scheduler was asked for, no more and no less."""
    spec = RequestSpec.from_wire(instance.request_spec)
    amounts = {VCPU: spec.vcpus, MEMORY_MB: spec.memory_mb, DISK_GB: spec.disk_gb}
    return Claim(instance.uuid, host, amounts, instance.project_id, instance.user_id)


def clean_up_order(operation: Operation, now: datetime) -> DestroyServer:
    """Return the order that removes what a failed attempt left on its host. It has time of its own to arrive."""
    not_after = (now + timedelta(seconds=COMMANDS[DestroyServer.NAME].timing.deadline_seconds)).timestamp()
    return DestroyServer(**{**fence(operation, CLEAN_UP), "not_after": not_after})


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in values.items() if value is not None}
