"""What lists show of other tables, read for a whole page at once: no foreign key leads there (see docs/rooms.md)."""

from collections.abc import Iterable, Sequence
from typing import Any

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.compute.selectors.server_surroundings import latest_faults
from cloud.identity.models import Project, User
from cloud.networks.selectors import interfaces


def project_names(ids: Iterable[str]) -> dict[str, str]:
    """Return the names of projects."""
    return dict(Project.objects.filter(pk__in=set(ids)).values_list("id", "name"))


def user_names(ids: Iterable[str]) -> dict[str, str]:
    """Return the names of users."""
    return dict(User.objects.filter(pk__in=set(ids)).values_list("id", "name"))


def servers_by_uuid(uuids: Iterable[str]) -> dict[str, Instance]:
    """Return servers, dead ones too, with what a link to them needs."""
    rows = Instance.objects.filter(uuid__in=set(uuids)).only("id", "uuid", "display_name", "deleted")
    return {one.uuid: one for one in rows}


def complete_servers(rows: Sequence[Any]) -> None:
    """Give each server its project's name, its addresses and its latest fault."""
    projects = project_names(one.project_id for one in rows)
    ports = interfaces([one.uuid for one in rows])
    faults = latest_faults([one.uuid for one in rows if one.vm_state == states.ERROR])
    for one in rows:
        one.project_name = projects.get(one.project_id, one.project_id)
        one.shown_addresses = [address.ip for port in ports.get(one.uuid, ()) for address in port.addresses]
        one.fault = faults.get(one.uuid)


def complete_with_server(rows: Sequence[Any]) -> None:
    """Give each row that has an `instance_uuid` its server, None where there never was one."""
    found = servers_by_uuid(row.instance_uuid for row in rows)
    for row in rows:
        row.server_row = found.get(row.instance_uuid)
