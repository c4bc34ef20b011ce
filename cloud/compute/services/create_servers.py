"""Create servers: one transaction that checks, reserves and records; the build starts when it commits."""

import secrets
import string
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from cloud.compute import states
from cloud.compute.errors import TooManyItems
from cloud.compute.models import Flavor, Instance, InstanceTag, ServerGroupMember
from cloud.compute.services import boot_choices, operations, server_placement
from cloud.compute.services.server_names import hostname_of, numbered, short_address
from cloud.compute.services.server_placement import Placement
from cloud.compute.services.server_request import ServerRequest
from cloud.core.context import RequestContext
from cloud.core.errors import QuotaExceeded
from cloud.core.models import new_uuid
from cloud.identity.services import quotas
from cloud.images.models import Image
from cloud.networks.services.requests import check as check_networks

_ALPHABET = string.ascii_lowercase + string.digits


def create(context: RequestContext, request: ServerRequest) -> list[Instance]:
    """Record the servers that a request asks for, and start to build them.

    Returns:
        The instances, `min_count` of them at least and as many up to `max_count` as the quota has room for.

    Raises:
        Invalid, Forbidden, Conflict: with Nova's sentences; nothing has changed then.
    """
    # Read before the transaction, which on SQLite keeps every other writer waiting while it lasts.
    flavor = boot_choices.flavor(context, request.flavor_id)
    image = boot_choices.image(context, request.image_id, boot_choices.Size(flavor.memory_mb, flavor.disk_gb))
    _check_metadata(context, request)
    columns = {
        **_columns(context, request),
        "key_data": boot_choices.key(context, request.key_name),
        "network_request": check_networks(context, request.networks, list(request.security_groups), request.max_count),
    }
    with transaction.atomic():
        placement = server_placement.plan(context, request, flavor, image)
        columns |= _copies(flavor, image, placement)
        # All creates of a project wait for a row of its quota: who makes one server holds it for the last moment only.
        is_one = request.max_count == 1
        count = 1 if is_one else _reserve(context, request, flavor)
        instances = _insert(request, columns, count)
        _join(instances, request, placement)
        operations.begin(context, instances, "create", "build", {"num_instances": count})
        if is_one:
            _reserve(context, request, flavor)
    return instances


def _check_metadata(context: RequestContext, request: ServerRequest) -> None:
    if not request.metadata:
        return
    limit = quotas.limits(context.project_id, ("metadata_items",))["metadata_items"]
    if 0 <= limit < len(request.metadata):
        raise TooManyItems(limit=limit)


def _columns(context: RequestContext, request: ServerRequest) -> dict[str, Any]:
    now = timezone.now()
    return {
        "project_id": context.project_id,
        "user_id": context.user_id,
        "description": request.description,
        "vm_state": states.BUILDING,
        "task_state": states.SCHEDULING,
        "key_name": request.key_name or None,
        "user_data": request.user_data,
        "config_drive": request.config_drive,
        "metadata": dict(request.metadata),
        "disk_config": request.disk_config or "MANUAL",
        "reservation_id": "r-" + "".join(secrets.choice(_ALPHABET) for _ in range(8)),
        "access_ip_v4": short_address(request.access_ip_v4),
        "access_ip_v6": short_address(request.access_ip_v6),
        "scheduler_hints": dict(request.hints),
        "created_at": now,
        "updated_at": now,
    }


def _copies(flavor: Flavor, image: Image, placement: Placement) -> dict[str, Any]:
    return {
        "flavor": boot_choices.flavor_copy(flavor),
        "image_ref": image.id,
        "image_properties": dict(image.properties),
        "availability_zone": placement.availability_zone,
        "pinned_availability_zone": placement.availability_zone,
        "request_spec": placement.spec.to_wire(),
    }


def _reserve(context: RequestContext, request: ServerRequest, flavor: Flavor) -> int:
    """Reserve quota for as many servers as there is room for.

    Raises:
        QuotaExceeded: not even `min_count` fit.
    """
    one = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.memory_mb}
    count = request.max_count
    try:
        quotas.reserve(context.project_id, {name: amount * count for name, amount in one.items()})
    except QuotaExceeded:
        count = max(_room(context.project_id, one), request.min_count)
        if count >= request.max_count:
            raise
        quotas.reserve(context.project_id, {name: amount * count for name, amount in one.items()})
    return count


def _room(project_id: str, one: dict[str, int]) -> int:
    limits, usages = quotas.limits(project_id, one), quotas.usages(project_id, one)
    return min(
        (limits[name] - usages[name]) // amount for name, amount in one.items() if amount and limits[name] >= 0
    )


def _insert(request: ServerRequest, columns: dict[str, Any], count: int) -> list[Instance]:
    rows = []
    for index in range(count):
        uuid, name = new_uuid(), numbered(request.name, index, count)
        rows.append(
            Instance(
                uuid=uuid,
                display_name=name,
                hostname=request.hostname or hostname_of(name, uuid),
                launch_index=index,
                **columns,
            )
        )
    return Instance.objects.bulk_create(rows)


def _join(instances: Sequence[Instance], request: ServerRequest, placement: Placement) -> None:
    InstanceTag.objects.bulk_create(
        InstanceTag(instance_uuid=one.uuid, tag=tag) for one in instances for tag in dict.fromkeys(request.tags)
    )
    if placement.group is not None:
        ServerGroupMember.objects.bulk_create(
            ServerGroupMember(group=placement.group, instance_uuid=one.uuid) for one in instances
        )
