"""Make a server's disks anew from an image, on its host and with all that it has besides.

It asks of its host what a build would ask, so a rebuild is no way round the scheduler (CVE-2017-16239), and what it
holds of the host is exchanged, never doubled (CVE-2017-17051).
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from cloud.compute.errors import HostFull, InstanceNotReady, TooManyItems, UnknownImage
from cloud.compute.models import ComputeNode, Flavor, Instance, Operation
from cloud.compute.models.operations import StepState
from cloud.compute.services import boot_choices, graphs, host_feed, operations, server_placement, step_rows
from cloud.compute.services.host_states import host_states
from cloud.compute.services.locks import check_lock
from cloud.compute.services.power import conflict
from cloud.compute.services.update_server import columns_of
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.identity.services import quotas
from cloud.images.models import Image
from cloud.placement.services import claims
from cloud.placement.services.providers import DISK_GB, MEMORY_MB, VCPU
from contracts.scheduling import RequestSpec

_REBUILD = "rebuild"


def rebuild(context: RequestContext, instance: Instance, image_id: str, changes: Mapping[str, Any]) -> None:
    """Begin to rebuild a server.

    Args:
        context: who asks.
        instance: the server.
        image_id: what its new disk is made from.
        changes: what else becomes different, by the names that clients use: what `update_server` knows, and
            `metadata` (all of it), `key_name` and `user_data`, which may be None.

    Raises:
        InstanceLocked, InstanceNotReady, StateConflict: it is not to be rebuilt now.
        UnknownImage, UnknownKeyPair, Invalid: what the new disk would be made from does not fit.
        TooManyItems, UnfitHost, HostFull: nor do metadata, or the host. Nothing has changed then.
    """
    check_lock(context, instance)
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)
    if not machine.allows(_REBUILD, instance.vm_state, instance.task_state):
        raise conflict(instance, _REBUILD, _REBUILD)
    with transaction.atomic():
        flavor = Flavor(**instance.flavor)  # the one that it has, whatever became of the flavor since
        image = _image(context, image_id, flavor)
        columns = {**columns_of(changes), **_choices(context, instance, changes)}
        spec = _plan(instance, flavor, image)
        _hold(instance, spec)
        _change(context, instance, image, {**columns, "request_spec": spec.to_wire()})


def _image(context: RequestContext, image_id: str, flavor: Flavor) -> Image:
    try:
        return boot_choices.image(context, image_id, boot_choices.Size(flavor.memory_mb, flavor.disk_gb))
    except UnknownImage:
        raise UnknownImage("Cannot find image for rebuild") from None


def _choices(context: RequestContext, instance: Instance, changes: Mapping[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if "metadata" in changes:
        limit = quotas.limits(instance.project_id, ("metadata_items",))["metadata_items"]
        if 0 <= limit < len(changes["metadata"]):
            raise TooManyItems(limit=limit)
        columns["metadata"] = dict(changes["metadata"])
    if "key_name" in changes:
        name = changes["key_name"]
        columns |= {"key_name": name, "key_data": boot_choices.key(context, name or "")}
    if "user_data" in changes:
        columns["user_data"] = changes["user_data"] or ""
    return columns


def _plan(instance: Instance, flavor: Flavor, image: Image) -> RequestSpec:
    """Return what the server asks of its host from now on, which the host must offer."""
    spec = server_placement.with_image(RequestSpec.from_wire(instance.request_spec), flavor, image)
    found = host_states([instance.host])
    if not found:
        raise InstanceNotReady(uuid=instance.uuid)
    server_placement.check_fit(found[0], spec)
    return spec


def _hold(instance: Instance, spec: RequestSpec) -> None:
    """Hold more of the host where a flavor without a disk leaves its size to a larger image. Raises HostFull."""
    if spec.disk_gb == RequestSpec.from_wire(instance.request_spec).disk_gb:
        return
    claims.release([instance.uuid])
    amounts = {VCPU: spec.vcpus, MEMORY_MB: spec.memory_mb, DISK_GB: spec.disk_gb}
    claim = claims.Claim(instance.uuid, instance.host, amounts, instance.project_id, instance.user_id)
    if claims.claim_what_fits([claim]):
        raise HostFull
    host_feed.publish([instance.host])


def _change(context: RequestContext, instance: Instance, image: Image, columns: Mapping[str, Any]) -> None:
    """Begin, unless something else began meanwhile. Until the host does, the old image can be had back."""
    was = {"image_ref": instance.image_ref, "image_properties": instance.image_properties}
    now = {"image_ref": image.id, "image_properties": dict(image.properties)}
    rows = Instance.objects.filter(pk=instance.pk, host=instance.host, deleted=False)
    if not machine.fire(rows, _REBUILD, updated_at=timezone.now(), progress=0, **columns, **now):
        raise conflict(instance, _REBUILD, _REBUILD)
    plan = {"image": image.id, "was": was}
    (operation,) = operations.begin(context, [instance], _REBUILD, _REBUILD, plan)
    if _is_cached(image, instance.host):
        _skip_fetching(operation)


def _is_cached(image: Image, host: str) -> bool:
    cached = ComputeNode.objects.filter(host=host).values_list("cached_images", flat=True).first()
    return image.id in (cached or ())


def _skip_fetching(operation: Operation) -> None:
    now = operation.started_at
    Operation.objects.filter(id=operation.id).update(**operations.due(graphs.TIMINGS[_REBUILD, graphs.REBUILD], now))
    step_rows.move([operation], {graphs.PREPARE_IMAGE: StepState.SKIPPED, graphs.REBUILD: StepState.SENT}, now)
