"""What there really is: what projects have, counted from their servers, and who holds of a host and is no more."""

from collections import Counter
from typing import Any

from django.db.models import Q

from cloud.compute import states
from cloud.compute.models import Instance, Migration
from cloud.compute.models.migrations import UNFINISHED
from cloud.placement.models import Allocation

_COLUMNS = {"cores": "vcpus", "ram": "memory_mb"}
COUNTED = ("instances", *_COLUMNS)
# The same as `states.is_counted`, as a condition on rows.
IS_COUNTED = ~Q(vm_state=states.SOFT_DELETED) | Q(task_state=states.RESTORING)


def holdings(project_id: str = "") -> Counter[tuple[str, str]]:
    """Return the amounts by (project, resource), of one project or of all.

    A server that moves counts with the larger of its two flavors, one that is soft-deleted not at all.
    """
    both: dict[str, list[dict[str, Any]]] = {
        one.instance_uuid: [one.before["flavor"], one.after["flavor"]]
        for one in Migration.objects.filter(status__in=UNFINISHED)
    }
    living = Instance.objects.filter(IS_COUNTED, deleted=False, **({"project_id": project_id} if project_id else {}))
    counted: Counter[tuple[str, str]] = Counter()
    for uuid, project, flavor in living.values_list("uuid", "project_id", "flavor"):
        flavors = both.get(uuid, [flavor])
        counted[project, "instances"] += 1
        for resource, column in _COLUMNS.items():
            counted[project, resource] += max(one[column] for one in flavors)
    return counted


def dead_holders(host: str) -> list[str]:
    """Return who holds of a host and is proven to be over: a deleted server, or the old place of an ended move.

    Who is not known at all is not among them: that proves a lack of records, not a death.
    """
    holders = set(Allocation.objects.filter(provider__name=host).values_list("consumer_uuid", flat=True))
    deleted = Instance.objects.filter(deleted=True)
    ended = Migration.objects.filter(uuid__in=holders).filter(
        ~Q(status__in=UNFINISHED) | Q(instance_uuid__in=deleted.values("uuid"))
    )
    return sorted({
        *deleted.filter(uuid__in=holders).values_list("uuid", flat=True), *ended.values_list("uuid", flat=True)
    })


def holders_that_are_not(host: str) -> list[str]:
    """Return who holds anything of a host and is neither a living server nor a server's old place in an open move."""
    rows = Allocation.objects.filter(provider__name=host)
    holders = set(rows.values_list("consumer_uuid", flat=True))
    living = Instance.objects.filter(deleted=False)
    holders -= set(living.filter(uuid__in=holders).values_list("uuid", flat=True))
    moving = Migration.objects.filter(
        uuid__in=holders, status__in=UNFINISHED, source_compute=host, instance_uuid__in=living.values("uuid")
    )
    return sorted(holders - set(moving.values_list("uuid", flat=True)))
