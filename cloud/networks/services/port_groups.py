"""Security groups of all interfaces of a server at once."""

from django.db import transaction

from cloud.networks.models import Port
from cloud.networks.services import changes
from cloud.networks.services.changing import save_changes


def add(instance_uuid: str, group_id: str) -> int:
    """Put a server's interfaces into a group; return how many of them can be in one."""
    with transaction.atomic():
        ports = _lock(instance_uuid)
        entering = [port for port in ports if not port.security_groups.filter(id=group_id).exists()]
        for port in entering:
            port.security_groups.add(group_id)
            save_changes(port, {})
        _tell(entering, group_id)
    return len(ports)


def remove(instance_uuid: str, group_id: str) -> int:
    """Take a server's interfaces out of a group; return how many were in it."""
    with transaction.atomic():
        ports = [port for port in _lock(instance_uuid) if port.security_groups.filter(id=group_id).exists()]
        for port in ports:
            port.security_groups.remove(group_id)
            save_changes(port, {})
        _tell(ports, group_id)
    return len(ports)


def _tell(ports: list[Port], group_id: str) -> None:
    """Have the hosts of ports hear of it, and those whose rules name the group."""
    if ports:
        changes.note({changes.of_members(group_id), *(changes.of_host(port.host) for port in ports)})


def _lock(instance_uuid: str) -> list[Port]:
    mine = Port.objects.filter(device_id=instance_uuid, position__gte=0, is_leaving=False)
    ports = mine.filter(port_security_enabled=True)
    return list(ports.select_for_update(of=("self",)).order_by("id"))
