"""What the fields of a server's body say, made from its row and its surroundings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloud.compute.api import links as urls
from cloud.compute.selectors import server_surroundings
from cloud.compute.selectors.server_surroundings import Surroundings
from cloud.compute.selectors.zones import DEFAULT_ZONE
from cloud.compute.statuses import status_of
from cloud.core import times
from cloud.core.endpoints import ApiRequest
from cloud.networks.selectors import Interface

Row = Mapping[str, Any]
# A field that this server does not have.
ABSENT = object()
_WITH_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"})
_WITH_FAULT = frozenset({"ERROR", "DELETED"})


@dataclass(frozen=True)
class Shown:
    """For whom and with what a server is shown.

    Attributes:
        shows_details: whether faults come with what only operators should read.
        shows_specs: whether an embedded flavor comes with its extra specs.
        is_extended: whether addresses come with their kind and MAC address.
    """

    request: ApiRequest
    surroundings: Surroundings
    shows_details: bool = False
    shows_specs: bool = True
    is_extended: bool = True


def status(row: Row, shown: Shown) -> str:
    """The state in one word."""
    return status_of(row["vm_state"], row["task_state"])


def host_id(row: Row, shown: Shown) -> str:
    """What tells a tenant whether two servers share a host."""
    return server_surroundings.host_id(row["project_id"], row["host"])


def image(row: Row, shown: Shown) -> Any:
    """The image, or an empty text without one."""
    name = row["image_ref"]
    return {"id": name, "links": [urls.bookmark(shown.request, "images", name)]} if name else ""


def image_with_properties(row: Row, shown: Shown) -> Any:
    """The image with its properties as they were."""
    found = image(row, shown)
    return {**found, "properties": row["image_properties"]} if found else ""


def flavor_link(row: Row, shown: Shown) -> dict[str, Any]:
    """The flavor's id and link."""
    name = row["flavor"]["flavorid"]
    return {"id": name, "links": [urls.bookmark(shown.request, "flavors", name)]}


def flavor(row: Row, shown: Shown) -> dict[str, Any]:
    """The flavor as it was when the server was made."""
    copy = row["flavor"]
    found = {
        "vcpus": copy["vcpus"], "ram": copy["memory_mb"], "disk": copy["disk_gb"], "ephemeral": copy["ephemeral_gb"],
        "swap": copy["swap_mb"], "original_name": copy["name"],
    }  # fmt: skip
    return {**found, "extra_specs": copy["extra_specs"]} if shown.shows_specs else found


def created(row: Row, shown: Shown) -> str | None:
    """When it was asked for."""
    return times.seconds_z(row["created_at"])


def updated(row: Row, shown: Shown) -> str | None:
    """When it last changed."""
    return times.seconds_z(row["updated_at"])


def launched_at(row: Row, shown: Shown) -> str | None:
    """When it first ran."""
    return times.micros(row["launched_at"])


def terminated_at(row: Row, shown: Shown) -> str | None:
    """When it ended."""
    return times.micros(row["terminated_at"])


def addresses(row: Row, shown: Shown) -> dict[str, list[dict[str, Any]]]:
    """The addresses by network name."""
    return addresses_of(shown.surroundings.interfaces.get(row["uuid"], ()), is_extended=shown.is_extended)


def addresses_of(interfaces: Iterable[Interface], *, is_extended: bool) -> dict[str, list[dict[str, Any]]]:
    """Group interfaces' addresses by network name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in interfaces:
        addresses = [("fixed", address.version, address.ip) for address in one.addresses]
        addresses += [("floating", address.version, ip) for address in one.addresses for ip in address.floating]
        found.setdefault(one.network_name, []).extend(
            {"version": version, "addr": ip,
             **({"OS-EXT-IPS:type": kind, "OS-EXT-IPS-MAC:mac_addr": one.mac} if is_extended else {})}
            for kind, version, ip in addresses
        )
    return found


def security_groups(row: Row, shown: Shown) -> Any:
    """The names of the groups of its interfaces."""
    found = shown.surroundings.interfaces.get(row["uuid"], ())
    names = dict.fromkeys(name for one in found for name in one.security_groups)
    return [{"name": name} for name in names] or ABSENT


def links(row: Row, shown: Shown) -> list[dict[str, str]]:
    """Where it is found."""
    return urls.links(shown.request, "servers", row["uuid"])


def progress(row: Row, shown: Shown) -> Any:
    """How far a change has come, in states that know of it."""
    return row["progress"] if status(row, shown) in _WITH_PROGRESS else ABSENT


def fault(row: Row, shown: Shown) -> Any:
    """Why it failed."""
    found = shown.surroundings.faults.get(row["uuid"])
    if found is None or status(row, shown) not in _WITH_FAULT:
        return ABSENT
    body = {"code": found["code"], "created": times.seconds_z(found["created_at"]), "message": found["message"]}
    return {**body, "details": found["details"]} if shown.shows_details and found["details"] else body


def zone(row: Row, shown: Shown) -> str:
    """The zone of its host, or the one asked for while it has none."""
    if row["host"]:
        return shown.surroundings.zones.get(row["host"], DEFAULT_ZONE)
    return str(row["availability_zone"])


def config_drive(row: Row, shown: Shown) -> str:
    """`True` or nothing, as a text."""
    return "True" if row["config_drive"] else ""


def instance_name(row: Row, shown: Shown) -> str:
    """What the hypervisor calls it."""
    return f"instance-{row['id']:08x}"


def host_status(row: Row, shown: Shown) -> str:
    """How its host stands."""
    return shown.surroundings.host_statuses.get(row["host"], "UNKNOWN") if row["host"] else ""


def tags(row: Row, shown: Shown) -> Any:
    """Its tags."""
    return shown.surroundings.tags.get(row["uuid"], [])


def server_groups(row: Row, shown: Shown) -> Any:
    """The groups that it belongs to."""
    return shown.surroundings.groups.get(row["uuid"], [])
