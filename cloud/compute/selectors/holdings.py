"""What projects have, counted from their servers: what their quotas should count."""

from collections import Counter
from typing import Any

from cloud.compute.models import Instance, Migration
from cloud.compute.models.migrations import UNFINISHED

_COLUMNS = {"cores": "vcpus", "ram": "memory_mb"}
COUNTED = ("instances", *_COLUMNS)


def holdings(project_id: str = "") -> Counter[tuple[str, str]]:
    """Return the amounts by (project, resource), of one project or of all.

    A server that moves counts with the larger of its two flavors.
    """
    both: dict[str, list[dict[str, Any]]] = {
        one.instance_uuid: [one.before["flavor"], one.after["flavor"]]
        for one in Migration.objects.filter(status__in=UNFINISHED)
    }
    living = Instance.objects.filter(deleted=False, **({"project_id": project_id} if project_id else {}))
    counted: Counter[tuple[str, str]] = Counter()
    for uuid, project, flavor in living.values_list("uuid", "project_id", "flavor"):
        flavors = both.get(uuid, [flavor])
        counted[project, "instances"] += 1
        for resource, column in _COLUMNS.items():
            counted[project, resource] += max(one[column] for one in flavors)
    return counted
