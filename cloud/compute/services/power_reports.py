"""The power states that hosts see, taken for the instances that are placed on the host that speaks."""

from collections import defaultdict

from django.utils import timezone

from cloud.compute import states
from cloud.compute.models import Instance
from contracts.conductor import PowerReport

RUNNING = 1
OFF = frozenset({4, 6})
_AT_ONCE = 500


def report_power_states(report: PowerReport) -> int:
    """Note changed power states; return how many instances that concerned.

    A guest that shut itself down becomes STOPPED, one that somebody started by hand ACTIVE; whatever has a task under
    way is left to its operation. What a host says of instances placed elsewhere is not heard, nor is what it saw
    before the instance last changed.
    """
    seen = {one.instance_uuid: one.power_state for one in report.instances}
    uuids = list(seen)
    changed: dict[int, list[int]] = defaultdict(list)
    for start in range(0, len(uuids), _AT_ONCE):
        rows = Instance.objects.filter(uuid__in=uuids[start : start + _AT_ONCE], host=report.host, deleted=False)
        for pk, uuid, power_state, updated_at in rows.values_list("pk", "uuid", "power_state", "updated_at"):
            if power_state != seen[uuid] and updated_at.timestamp() <= report.reported_at:
                changed[seen[uuid]].append(pk)
    for power_state, pks in changed.items():
        _note(power_state, pks)
    return sum(len(pks) for pks in changed.values())


def _note(power_state: int, pks: list[int]) -> None:
    rows = Instance.objects.filter(pk__in=pks, deleted=False)
    event = {RUNNING: "seen_on"}.get(power_state, "seen_off" if power_state in OFF else "")
    if event:
        states.machine.fire(rows, event, power_state=power_state, updated_at=timezone.now())
    rows.filter(task_state=states.IDLE).exclude(power_state=power_state).update(power_state=power_state)
