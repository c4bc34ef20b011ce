"""The power states that hosts see, taken for the instances that are placed on the host that speaks."""

from collections import defaultdict

from django.db import transaction
from django.utils import timezone

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.compute.services import done_operations, graphs
from contracts.conductor import PowerReport

RUNNING = 1
OFF = frozenset({4, 6})
_AT_ONCE = 500
_WENT_OFF = "The guest went off by itself."


def report_power_states(report: PowerReport) -> int:
    """Note changed power states; return how many instances that concerned.

    A guest that went off by itself becomes STOPPED, which its owner finds among the server's actions as a stop that
    nobody asked for, as in Nova; one that somebody started by hand becomes ACTIVE; whatever has a task under
    way is left to its operation. What a host says of instances placed elsewhere is not heard, nor is what it saw
    before the instance last changed.
    """
    seen = {one.instance_uuid: one.power_state for one in report.instances}
    uuids = list(seen)
    changed: dict[int, list[int]] = defaultdict(list)
    for start in range(0, len(uuids), _AT_ONCE):
        rows = Instance.objects.filter(uuid__in=uuids[start : start + _AT_ONCE], host=report.host, deleted=False)
        columns = ("pk", "uuid", "power_state", "vm_state", "updated_at")
        for pk, uuid, power_state, vm_state, updated_at in rows.values_list(*columns):
            is_new = power_state != seen[uuid] or _contradicts(vm_state, seen[uuid])
            if is_new and updated_at.timestamp() <= report.reported_at:
                changed[seen[uuid]].append(pk)
    for power_state, pks in changed.items():
        _note(power_state, pks)
    return sum(len(pks) for pks in changed.values())


def _contradicts(vm_state: str, power_state: int) -> bool:
    """Tell whether a server is not what its guest is, as after an operator's word that it is active."""
    wrong = {states.ACTIVE: OFF, states.STOPPED: {RUNNING}}
    return power_state in wrong.get(vm_state, ())


def _note(power_state: int, pks: list[int]) -> None:
    rows = Instance.objects.filter(pk__in=pks, deleted=False)
    event = {RUNNING: "seen_on"}.get(power_state, "seen_off" if power_state in OFF else "")
    if event:
        now = timezone.now()
        with transaction.atomic():
            if states.machine.fire(rows, event, power_state=power_state, updated_at=now) and power_state in OFF:
                stopped = list(rows.filter(vm_state=states.STOPPED, updated_at=now))
                done_operations.record(stopped, "stop", graphs.POWER, now, message=_WENT_OFF)
    rows.filter(task_state=states.IDLE).exclude(power_state=power_state).update(power_state=power_state)
