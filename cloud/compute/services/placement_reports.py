"""Why a server is where it is, or why it is nowhere: what the scheduler said for each of its operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cloud.compute import reasons
from cloud.compute.models import Flavor, Instance, Migration, Operation
from cloud.compute.reasons import Decision
from cloud.compute.services.fitting_flavors import Wish, fitting
from cloud.core.context import RequestContext
from cloud.images.models import Image
from contracts.scheduling import RequestSpec

_MOST_OPERATIONS = 20
# Only where a flavor is chosen may another one be.
CHOOSES_FLAVOR = ("create", "resize")
# Flavors are proposed to who asked, not to the administrator who looks.
_OWNER = frozenset({"member", "reader"})


@dataclass(frozen=True)
class Explained:
    """A decision, and the flavors that would have fitted where it found no host."""

    decision: Decision
    flavors: Sequence[Flavor] = ()


@dataclass(frozen=True)
class Report:
    """What the scheduler said for one operation, the first answer first."""

    operation: Operation
    decisions: Sequence[Explained]


def of_server(context: RequestContext, instance: Instance, most: int = _MOST_OPERATIONS) -> list[Report]:
    """Return the reports of a server's operations for which a scheduler was asked, the latest operation first."""
    rows = Operation.objects.filter(instance_uuid=instance.uuid).exclude(trace={})
    found = list(rows.order_by("-started_at", "-id")[:most])
    specs = dict(
        Migration.objects.filter(operation_id__in=[one.id for one in found]).values_list("operation_id", "after")
    )
    image = Image.objects.filter(id=instance.image_ref).first() if instance.image_ref else None
    return [_report(context, one, _wish(one, instance, specs, image)) for one in found]


def _wish(
    operation: Operation, instance: Instance, specs: Mapping[str, dict[str, dict[str, object]]], image: Image | None
) -> Wish:
    after = specs.get(operation.id)
    spec = RequestSpec.from_wire(after["request_spec"] if after else instance.request_spec or _NOTHING)
    return Wish(spec.required_traits, image, instance.flavor.get("disk_gb", 0) if after else 0)


_NOTHING = RequestSpec(vcpus=0, memory_mb=0, disk_gb=0).to_wire()


def _report(context: RequestContext, operation: Operation, wish: Wish) -> Report:
    is_choice = operation.action in CHOOSES_FLAVOR
    owner = replace(context, project_id=operation.project_id, roles=_OWNER, is_system=False)
    return Report(operation, [
        Explained(one, fitting(owner, one.room, wish) if is_choice else ()) for one in reasons.read(operation.trace)
    ])  # fmt: skip


def of_operation(context: RequestContext, operation: Operation) -> Report:
    """Return the report of one operation, whose server may be gone."""
    instance = Instance.objects.filter(uuid=operation.instance_uuid).first()
    if instance is None or not operation.trace:
        return Report(operation, [Explained(one) for one in reasons.read(operation.trace)])
    specs = dict(Migration.objects.filter(operation_id=operation.id).values_list("operation_id", "after"))
    image = Image.objects.filter(id=instance.image_ref).first() if instance.image_ref else None
    return _report(context, operation, _wish(operation, instance, specs, image))
