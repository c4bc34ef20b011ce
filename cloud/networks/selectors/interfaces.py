"""The interfaces of servers, as the views of servers show them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from cloud.networks.models import Port


@dataclass(frozen=True)
class Address:
    """A fixed address. `version` is 4 or 6; `floating` are the floating addresses that lead to it."""

    ip: str
    version: int
    subnet_id: str
    floating: tuple[str, ...] = ()


@dataclass(frozen=True)
class Interface:
    """A port of a server.

    Attributes:
        status: ACTIVE, DOWN or BUILD.
        addresses: in the order in which they were given.
        security_groups: names, sorted.
        tag: the word by which the guest knows the interface; empty for none.
    """

    port_id: str
    network_id: str
    network_name: str
    mac: str
    status: str
    addresses: tuple[Address, ...]
    security_groups: tuple[str, ...]
    tag: str


_COLUMNS = (
    "id", "device_id", "network_id", "network__name", "mac_address", "status", "device_tag",
    "fixed_ips__ip_address", "fixed_ips__subnet_id", "fixed_ips__subnet__ip_version",
    "fixed_ips__floating_ips__floating_ip_address",
)


def interfaces(instance_uuids: Collection[str]) -> dict[str, list[Interface]]:
    """Return the interfaces of servers in the order of the guest, in two queries for any number of servers.

    A server without any is not in the answer.
    """
    if not instance_uuids:
        return {}
    # Anybody may write a foreign server's uuid on a port of his; only what was allocated has a position.
    ports = Port.objects.filter(device_id__in=instance_uuids, position__gte=0, is_leaving=False)
    groups: dict[str, list[str]] = defaultdict(list)
    for port_id, name in ports.filter(security_groups__isnull=False).values_list("id", "security_groups__name"):
        groups[port_id].append(name)
    rows: dict[str, list[dict[str, object]]] = defaultdict(list)
    for row in ports.order_by("position", "created_at", "id", "fixed_ips__id").values(*_COLUMNS):
        rows[row["id"]].append(row)
    found: dict[str, list[Interface]] = defaultdict(list)
    for port_id, lines in rows.items():
        found[str(lines[0]["device_id"])].append(_interface(lines, groups[port_id]))
    return dict(found)


def _interface(lines: list[dict[str, object]], groups: list[str]) -> Interface:
    port = lines[0]
    return Interface(
        port_id=str(port["id"]),
        network_id=str(port["network_id"]),
        network_name=str(port["network__name"]),
        mac=str(port["mac_address"]),
        status=str(port["status"]),
        addresses=_addresses(lines),
        security_groups=tuple(sorted(groups)),
        tag=str(port["device_tag"]),
    )


def _addresses(lines: list[dict[str, object]]) -> tuple[Address, ...]:
    """Return the addresses of a port, of which there is a line for each floating address, and at least one."""
    fixed = {str(line["fixed_ips__ip_address"]): line for line in lines if line["fixed_ips__ip_address"]}
    floating: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        if line["fixed_ips__floating_ips__floating_ip_address"]:
            floating[str(line["fixed_ips__ip_address"])].append(
                str(line["fixed_ips__floating_ips__floating_ip_address"])
            )
    return tuple(
        Address(ip, int(str(line["fixed_ips__subnet__ip_version"])), str(line["fixed_ips__subnet_id"]),
                tuple(sorted(floating[ip])))
        for ip, line in fixed.items()
    )
