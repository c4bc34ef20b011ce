"""Begin to move a server: to another flavor (resize), or as it is to another host (migrate); and end it.

Every move asks for its host what a build would ask, and holds both places until it is confirmed or reverted.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cloud.compute.errors import CannotShrinkDisk, InstanceNotReady, NotResized, SameFlavor, SameHost, UnknownHost
from cloud.compute.models import ComputeNode, Instance, Migration
from cloud.compute.models.migrations import MigrationStatus
from cloud.compute.services import boot_choices, moves, operations, server_placement
from cloud.compute.services.locks import check_lock
from cloud.compute.services.power import conflict
from cloud.compute.states import machine
from cloud.core.clock import database_now
from cloud.core.context import RequestContext
from cloud.identity.services import quotas
from cloud.images.models import Image
from contracts.scheduling import RequestSpec


def resize(context: RequestContext, instance: Instance, flavor_id: str, disk_config: str = "") -> None:
    """Begin to give a server another flavor, on whichever host has room.

    Args:
        context: who asks.
        instance: the server.
        flavor_id: as clients name it.
        disk_config: `AUTO`, `MANUAL` or empty to leave it.

    Raises:
        InstanceLocked, InstanceNotReady, StateConflict, HostTooOld: it is not to be moved now.
        UnknownFlavor, SameFlavor, CannotShrinkDisk, FlavorTooSmall, QuotaExceeded: nor to this flavor.
    """
    check_movable(context, instance, "resize")
    flavor = boot_choices.flavor(context, flavor_id)
    after = boot_choices.flavor_copy(flavor)
    if after["flavorid"] == instance.flavor["flavorid"]:
        raise SameFlavor
    if any(after.get(name, 0) < instance.flavor.get(name, 0) for name in ("disk_gb", "ephemeral_gb")):
        raise CannotShrinkDisk
    image = Image.objects.filter(id=instance.image_ref).first() if instance.image_ref else None
    if image is not None:
        boot_choices.check_minimum(image, boot_choices.Size(flavor.memory_mb, flavor.disk_gb))
    ignored = [] if settings.ALLOW_RESIZE_TO_SAME_HOST else [instance.host]
    spec = server_placement.with_flavor(RequestSpec.from_wire(instance.request_spec), flavor, image)
    with transaction.atomic():
        columns = {"disk_config": disk_config} if disk_config else {}
        plan = {"ignore_hosts": ignored}
        _begin(context, instance, "resize", {"flavor": after, "request_spec": spec.to_wire()}, plan, columns)
        # Last, because it is the row that most others wait for.
        quotas.reserve(instance.project_id, moves.larger(instance.flavor, after))


def migrate(context: RequestContext, instance: Instance, host: str = "") -> None:
    """Begin to move a server to another host, which `host` may name.

    Raises:
        InstanceLocked, InstanceNotReady, StateConflict, HostTooOld: it is not to be moved now.
        UnknownHost, SameHost: nor to this host.
    """
    check_movable(context, instance, "migrate")
    if host and not ComputeNode.objects.filter(host=host).exists():
        raise UnknownHost(host=host)
    if host == instance.host:
        raise SameHost
    after = {"flavor": instance.flavor, "request_spec": spec_elsewhere(instance).to_wire()}
    with transaction.atomic():
        _begin(context, instance, "migrate", after, plan_elsewhere(instance, host), {})


def spec_elsewhere(instance: Instance) -> RequestSpec:
    """Return what a server asks of a host that it is migrated to."""
    return msgspec.structs.replace(RequestSpec.from_wire(instance.request_spec), requested_host="")


def plan_elsewhere(instance: Instance, host: str = "") -> dict[str, Any]:
    """Return the plan of a migration: to any other host, or to the one that is named."""
    return {"ignore_hosts": [instance.host], "requested_host": host}


def check_movable(context: RequestContext, instance: Instance, action: str) -> None:
    """Refuse to move a server now. Raises InstanceLocked, StateConflict, InstanceNotReady."""
    check_lock(context, instance)
    if not machine.allows("move", instance.vm_state, instance.task_state):
        raise conflict(instance, "move", action)
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)


def _begin(
    context: RequestContext, instance: Instance, action: str, after: Mapping[str, Any], plan: Mapping[str, Any],
    columns: Mapping[str, Any],
) -> None:  # fmt: skip
    rows = Instance.objects.filter(pk=instance.pk, host=instance.host, deleted=False)
    if not machine.fire(rows, "move", updated_at=timezone.now(), progress=0, **columns):
        raise conflict(instance, "move", action)
    (operation,) = operations.begin(context, [instance], action, "resize", plan)
    now = database_now()
    Migration.objects.create(
        instance_uuid=instance.uuid, project_id=instance.project_id, user_id=context.user_id,
        operation_id=operation.id, migration_type="resize" if action == "resize" else "migration",
        source_compute=instance.host, source_node=instance.node, vm_state=instance.vm_state, after=dict(after),
        before={"flavor": instance.flavor, "request_spec": instance.request_spec}, created_at=now, updated_at=now,
    )  # fmt: skip


def confirm(context: RequestContext, instance: Instance) -> None:
    """Begin to give up a moved server's old place. Raises InstanceLocked, StateConflict, NotResized."""
    migration = _moved(context, instance, "confirm", "confirmResize")
    with transaction.atomic():
        _end(context, instance, "confirm", "confirm_resize", migration.source_compute)
        moves.set_status(migration, MigrationStatus.CONFIRMING)


def revert(context: RequestContext, instance: Instance) -> None:
    """Begin to bring a moved server back to its old place. Raises InstanceLocked, StateConflict, NotResized."""
    migration = _moved(context, instance, "revert", "revertResize")
    with transaction.atomic():
        _end(context, instance, "revert", "revert_resize", migration.dest_compute)
        moves.set_status(migration, MigrationStatus.REVERTING)


def _moved(context: RequestContext, instance: Instance, event: str, action: str) -> Migration:
    check_lock(context, instance)
    if not machine.allows(event, instance.vm_state, instance.task_state):
        raise conflict(instance, event, action)
    migration = moves.unfinished(instance.uuid)
    if migration is None:
        raise NotResized
    return migration


def _end(context: RequestContext, instance: Instance, event: str, workflow: str, host: str) -> None:
    action = {"confirm": "confirmResize", "revert": "revertResize"}[event]
    rows = Instance.objects.filter(pk=instance.pk, deleted=False)
    if not machine.fire(rows, event, updated_at=timezone.now()):
        raise conflict(instance, event, action)
    operations.begin(context, [instance], action, workflow, host=host)
