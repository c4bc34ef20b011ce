"""What each filter of a server list means, as a condition on rows. One table; who may use which is the API's business.

Repeated parameters mean any of the values, save for tags, whose values hold lists themselves.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import and_, or_

from django.db.models import Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.lookups import Exact

from cloud.compute.models import InstanceTag
from cloud.compute.selectors.addresses import servers_at
from cloud.compute.selectors.expressions import matching
from cloud.compute.statuses import states_of
from cloud.core.errors import Invalid
from cloud.core.times import read_time

NOTHING = Q(pk__in=())
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
Filter = Callable[[Sequence[str]], Q]


def condition(filters: Mapping[str, Sequence[str]]) -> Q:
    """Return what all these filters together ask of a row; names outside the table ask nothing.

    Raises:
        Invalid: a value that its filter cannot read.
    """
    found = Q()
    for name, values in filters.items():
        if name in FILTERS:
            found &= FILTERS[name](values)
    return found


def read_bool(name: str, text: str) -> bool:
    """Read a boolean of a query string; an empty one is true, as in `?all_tenants`. Raises Invalid."""
    word = text.strip().lower()
    if word in _TRUE or not word:
        return True
    if word in _FALSE:
        return False
    raise Invalid(f"Invalid value {text[:40]!r} for {name}: it is true or false")


def _any_of(conditions: Iterable[Q]) -> Q:
    return reduce(or_, conditions, NOTHING)


def _exact(column: str) -> Filter:
    return lambda values: Q(**{f"{column}__in": list(values)})


def _pattern(column: str) -> Filter:
    return lambda values: _any_of(matching(column, value) for value in values)


def _number(column: str) -> Filter:
    # What is no number, or none that the column could hold, equals no row.
    def read(values: Sequence[str]) -> Q:
        numbers = [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 10]
        return Q(**{f"{column}__in": numbers})

    return read


def _flag(column: str) -> Filter:
    return lambda values: Q(**{column: read_bool(column, values[-1])})


def _second(column: str) -> Filter:
    def read(values: Sequence[str]) -> Q:
        moments = [read_time(value) for value in values]
        return _any_of(
            Q(**{f"{column}__gte": moment, f"{column}__lt": moment + timedelta(seconds=1)}) for moment in moments
        )

    return read


def _status(values: Sequence[str]) -> Q:
    return _any_of(
        Q(vm_state=vm_state, task_state__in=tasks)
        for value in values for vm_state, tasks in states_of(value.upper())
    )  # fmt: skip


def _task_state(values: Sequence[str]) -> Q:
    return Q(task_state__in=["" if value.lower() in {"none", ""} else value for value in values])


def _disk_config(values: Sequence[str]) -> Q:
    return Q(disk_config="AUTO" if read_bool("auto_disk_config", values[-1]) else "MANUAL")


def _metadata(values: Sequence[str]) -> Q:
    try:
        wanted = json.loads(values[-1])
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise Invalid("The filter metadata is a JSON object of the items that a server must have")
    # Not `metadata__<key>`: a key of the client's choice is no part of a lookup.
    items = (Q(Exact(KeyTextTransform(key, "metadata"), Value(str(value)))) for key, value in wanted.items())
    return reduce(and_, items, Q())


def _address(version: int) -> Filter:
    return lambda values: Q(uuid__in=servers_at(values, version))


def _split(values: Sequence[str]) -> list[str]:
    return [tag for tag in values[-1].split(",") if tag]


def _bearing(tags: Iterable[str]) -> Q:
    return Q(uuid__in=InstanceTag.objects.filter(tag__in=list(tags)).values("instance_uuid"))


def _all_tags(values: Sequence[str]) -> Q:
    return reduce(lambda found, tag: found & _bearing([tag]), _split(values), Q())


def _since(values: Sequence[str]) -> Q:
    return Q(updated_at__gte=_time(values))


def _before(values: Sequence[str]) -> Q:
    return Q(updated_at__lte=_time(values))


def _time(values: Sequence[str]) -> datetime:
    return read_time(values[-1])


FILTERS: dict[str, Filter] = {
    "access_ip_v4": _pattern("access_ip_v4"),
    "access_ip_v6": _pattern("access_ip_v6"),
    "auto_disk_config": _disk_config,
    "availability_zone": _pattern("availability_zone"),
    "changes-before": _before,
    "changes-since": _since,
    "config_drive": _flag("config_drive"),
    "created_at": _second("created_at"),
    "description": _pattern("description"),
    "display_description": _pattern("description"),
    "display_name": _pattern("display_name"),
    "flavor": _exact("flavor__flavorid"),
    "host": _exact("host"),
    "hostname": _pattern("hostname"),
    "image": _exact("image_ref"),
    "image_ref": _exact("image_ref"),
    "ip": _address(4),
    "ip6": _address(6),
    "key_name": _pattern("key_name"),
    "launch_index": _number("launch_index"),
    "launched_at": _second("launched_at"),
    "locked": _flag("locked"),
    "locked_by": _exact("locked_by"),
    "metadata": _metadata,
    "name": _pattern("display_name"),
    "node": _pattern("node"),
    "not-tags": lambda values: ~_all_tags(values),
    "not-tags-any": lambda values: ~_bearing(_split(values)),
    "power_state": _number("power_state"),
    "progress": _number("progress"),
    "reservation_id": _pattern("reservation_id"),
    "root_device_name": _pattern("root_device_name"),
    "status": _status,
    "tags": _all_tags,
    "tags-any": lambda values: _bearing(_split(values)),
    "task_state": _task_state,
    "terminated_at": _second("terminated_at"),
    "user_id": _exact("user_id"),
    "uuid": _exact("uuid"),
    "vm_state": _exact("vm_state"),
}
