"""Change what an owner may change of a server while it stays as it is."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from cloud.compute.models import Instance
from cloud.compute.services.server_names import short_address
from cloud.compute.services.server_placement import check_zone

# What clients call it -> column. None becomes an empty text where the column has no null.
_COLUMNS = {
    "name": "display_name",
    "description": "description",
    "accessIPv4": "access_ip_v4",
    "accessIPv6": "access_ip_v6",
    "OS-DCF:diskConfig": "disk_config",
    "hostname": "hostname",
    "pinned_availability_zone": "pinned_availability_zone",
}
_NULLABLE = frozenset({"description"})
_ADDRESSES = frozenset({"access_ip_v4", "access_ip_v6"})


def update(instance: Instance, changes: Mapping[str, Any]) -> None:
    """Change a server.

    Args:
        instance: the server.
        changes: by the names that clients use; others are not looked at.

    Raises:
        UnknownZone
    """
    values = columns_of(changes)
    if values:
        Instance.objects.filter(pk=instance.pk).update(**values, updated_at=timezone.now())


def columns_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the new values of the columns that changes name.

    Raises:
        UnknownZone
    """
    values = {
        column: changes[name] if column in _NULLABLE else changes[name] or ""
        for name, column in _COLUMNS.items() if name in changes
    }  # fmt: skip
    if values.get("pinned_availability_zone"):
        check_zone(values["pinned_availability_zone"])
    for column in _ADDRESSES & values.keys():
        values[column] = short_address(values[column])
    return values
