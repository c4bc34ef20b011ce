"""The power states that hosts see, taken for the instances that are placed on the host that speaks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

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
_One = TypeVar("_One")


class _Row(NamedTuple):
    """What is known of an instance. The names are those of its columns."""

    pk: int
    uuid: str
    host: str
    power_state: int
    vm_state: str
    updated_at: datetime


class _Said:
    """What a host saw, and when."""

    def __init__(self, report: PowerReport) -> None:
        self.is_full = report.is_full
        self.at = report.reported_at
        self.seen = {one.instance_uuid: one.power_state for one in report.instances}

    def is_news_of(self, row: _Row) -> bool:
        """Tell whether an instance of the host is otherwise than it was when the host looked, and not since then."""
        power_state = self.seen.get(row.uuid)
        if power_state is None or row.updated_at.timestamp() > self.at:
            return False
        return power_state != row.power_state or _contradicts(row.vm_state, power_state)


def report_power_states(report: PowerReport) -> int:
    """Note the power states that a host saw; return how many instances changed by that."""
    return report_power_states_of_hosts([report])


def report_power_states_of_hosts(reports: Collection[PowerReport]) -> int:
    """Note the power states that hosts saw, by one report of each; return how many instances changed by that.

    A guest that went off by itself becomes STOPPED, which its owner finds among the server's actions as a stop that
    nobody asked for, as in Nova; one that somebody started by hand becomes ACTIVE; whatever has a task under
    way is left to its operation. What a host says of instances placed elsewhere is not heard, nor is what it saw
    before the instance last changed.
    """
    said = {one.host: _Said(one) for one in reports if one.instances}
    suspects = sorted(row.pk for row in _rows(said) if row.host in said and said[row.host].is_news_of(row))
    return sum(_write(said, part) for part in _parts(suspects))


def _rows(said: Mapping[str, _Said]) -> Iterator[_Row]:
    """Return the instances of hosts that told of all they have, and those that others named."""
    whole = [host for host, one in said.items() if one.is_full]
    named = [uuid for one in said.values() if not one.is_full for uuid in one.seen]
    wanted = [{"host__in": part} for part in _parts(whole)]
    wanted += [{"uuid__in": part} for part in _parts(named)]
    for conditions in wanted:
        rows = Instance.objects.filter(**conditions, deleted=False)
        yield from map(_Row._make, rows.values_list(*_Row._fields))


def _write(said: Mapping[str, _Said], pks: Collection[int]) -> int:
    """Note what is news of these instances still, which nobody changes meanwhile; return how many that concerned."""
    changed: dict[int, list[int]] = defaultdict(list)
    with transaction.atomic():
        locked = Instance.objects.select_for_update().order_by("pk").filter(pk__in=pks, host__in=said, deleted=False)
        for row in map(_Row._make, locked.values_list(*_Row._fields)):
            if said[row.host].is_news_of(row):
                changed[said[row.host].seen[row.uuid]].append(row.pk)
        for power_state, of_it in changed.items():
            _note(power_state, of_it)
    return sum(len(of_it) for of_it in changed.values())


def _parts(found: Sequence[_One]) -> Iterator[Sequence[_One]]:
    return (found[start : start + _AT_ONCE] for start in range(0, len(found), _AT_ONCE))


def _contradicts(vm_state: str, power_state: int) -> bool:
    """Tell whether a server is not what its guest is, as after an operator's word that it is active."""
    wrong = {states.ACTIVE: OFF, states.STOPPED: {RUNNING}}
    return power_state in wrong.get(vm_state, ())


def _note(power_state: int, pks: Iterable[int]) -> None:
    rows = Instance.objects.filter(pk__in=pks)
    event = {RUNNING: "seen_on"}.get(power_state, "seen_off" if power_state in OFF else "")
    if event:
        now = timezone.now()
        if states.machine.fire(rows, event, power_state=power_state, updated_at=now) and power_state in OFF:
            stopped = list(rows.filter(vm_state=states.STOPPED, updated_at=now))
            done_operations.record(stopped, "stop", graphs.POWER, now, message=_WENT_OFF)
    rows.filter(task_state=states.IDLE).exclude(power_state=power_state).update(power_state=power_state)
