"""Where operations stand, as their rows say it: what every launcher begins with."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloud.compute.models import Instance, Operation, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.conductor.steps import orders
from cloud.core.kept import Kept
from cloud.images.models import Image
from cloud.networks.services import allocation
from contracts.compute import ServerSpec

_running: Kept[Operation] = Kept(
    lambda ids: Operation.objects.filter(id__in=ids, state=OperationState.RUNNING)
)
_living: Kept[Instance] = Kept(lambda uuids: Instance.objects.filter(uuid__in=uuids, deleted=False))
_sent: Kept[tuple[str, int, str]] = Kept(
    lambda ids: Step.objects.filter(operation_id__in=ids, state=StepState.SENT).values_list(
        "operation_id", "attempt", "name"
    )
)
_images: Kept[Image] = Kept(lambda ids: Image.objects.filter(id__in=ids))


@dataclass(frozen=True)
class Standing:
    """A running operation, its instance, and the steps that are under way."""

    operation: Operation
    instance: Instance
    steps: frozenset[str]


def standings(operation_ids: Sequence[str]) -> list[Standing]:
    """Return those of the operations that run, whose instances live."""
    running = _running(ids=list(operation_ids))
    instances = {one.uuid: one for one in _living(uuids=[one.instance_uuid for one in running])}
    under_way: dict[tuple[str, int], set[str]] = defaultdict(set)
    for operation_id, attempt, name in _sent(ids=[one.id for one in running]):
        under_way[operation_id, attempt].add(name)
    return [
        Standing(one, instances[one.instance_uuid], frozenset(under_way[one.id, one.attempt]))
        for one in running
        if one.instance_uuid in instances
    ]


def with_servers(operation_ids: Sequence[str]) -> Iterator[tuple[Standing, ServerSpec]]:
    """Yield the same with what a host needs to know of each instance."""
    found = standings(operation_ids)
    servers = servers_of(found, images_of(found))
    for one in found:
        yield one, servers[one.instance.uuid]


def images_of(found: Iterable[Standing]) -> dict[str, Image]:
    """Return the images of the instances, of those that are still there."""
    ids = {one.instance.image_ref for one in found if one.instance.image_ref}
    return {image.id: image for image in _images(ids=list(ids))}


def server_of(one: Standing, images: Mapping[str, Image]) -> ServerSpec:
    """Return an instance as its host needs it."""
    return servers_of([one], images)[one.instance.uuid]


def servers_of(found: Sequence[Standing], images: Mapping[str, Image]) -> dict[str, ServerSpec]:
    """Return instances as their hosts need them, by uuid, in three queries for any number of them."""
    instances = [one.instance for one in found]
    plugged = [one.uuid for one in instances if one.network_request.get("requests")]
    ports = allocation.port_specs_of(plugged) if plugged else {}
    return {
        one.uuid: orders.server_spec(one, ports.get(one.uuid, []), images.get(one.image_ref)) for one in instances
    }
