"""Every field of a server's body: since when, until when, for whom, in which bodies, and what it says.

Source: https://docs.openstack.org/nova/latest/reference/api-microversion-history.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cloud.compute.api import server_values as values
from cloud.compute.api.server_values import Shown
from cloud.core.microversions import Version, version

Row = Mapping[str, Any]
Make = Callable[[Row, Shown], Any]
_EXTENDED = "os_compute_api:os-extended-server-attributes"
_HOST_STATUS = "os_compute_api:servers:show:host_status"


class Body(Enum):
    """Which body a server is shown in."""

    SHOW = "show"
    LIST = "list"
    UPDATE = "update"
    REBUILD = "rebuild"


EVERYWHERE = frozenset(Body)
_ALWAYS_WHOLE = frozenset({Body.SHOW, Body.LIST})
_ALL_WHOLE = version("2.75")


@dataclass(frozen=True)
class Field:
    """A field of the body.

    Attributes:
        since, before: microversions; `before` is the first without it.
        policy: row of the policy table that the client must satisfy to see it; empty for none.
        bodies: those that have it.
        is_late: whether the answers to PUT and rebuild have it from 2.75 only, or from `in_rebuild_since` on.
        needs: which of the surroundings it is made from.
    """

    name: str
    make: Make
    since: Version
    before: Version | None = None
    policy: str = ""
    bodies: frozenset[Body] = EVERYWHERE
    is_late: bool = False
    needs: str = ""
    in_rebuild_since: Version | None = None

    def exists_at(self, number: Version, body: Body) -> bool:
        """Tell whether a body has the field at a microversion."""
        is_there = number >= self.since and (self.before is None or number < self.before) and body in self.bodies
        if not self.is_late or is_whole(body, number):
            return is_there
        since = self.in_rebuild_since
        return is_there and body is Body.REBUILD and since is not None and number >= since


def is_whole(body: Body, number: Version) -> bool:
    """Tell whether a body shows all that there is: those of PUT and rebuild do from 2.75 on."""
    return body in _ALWAYS_WHOLE or number >= _ALL_WHOLE


def _field(name: str, make: Make, since: str = "2.1", before: str = "", **more: Any) -> Field:
    return Field(name, make, version(since), version(before) if before else None, **more)


def _column(name: str) -> Make:
    return lambda row, shown: row[name]


def _column_or_null(name: str) -> Make:
    return lambda row, shown: row[name] or None


def _constant(value: Any) -> Make:
    return lambda row, shown: value


_LATER: dict[str, Any] = {"is_late": True}
_ADMIN: dict[str, Any] = {"is_late": True, "policy": _EXTENDED}

FIELDS: tuple[Field, ...] = (
    _field("id", _column("uuid")),
    _field("name", _column("display_name")),
    _field("status", values.status),
    _field("tenant_id", _column("project_id")),
    _field("user_id", _column("user_id")),
    _field("metadata", _column("metadata")),
    _field("hostId", values.host_id),
    _field("image", values.image, before="2.98"),
    _field("image", values.image_with_properties, since="2.98"),
    _field("flavor", values.flavor_link, before="2.47"),
    _field("flavor", values.flavor, since="2.47"),
    _field("created", values.created),
    _field("updated", values.updated),
    _field("addresses", values.addresses, needs="interfaces"),
    _field("accessIPv4", _column("access_ip_v4")),
    _field("accessIPv6", _column("access_ip_v6")),
    _field("links", values.links),
    _field("progress", values.progress),
    _field("fault", values.fault, needs="faults"),
    _field("OS-DCF:diskConfig", _column("disk_config")),
    _field("OS-EXT-AZ:availability_zone", values.zone, needs="zones", **_LATER),
    _field("config_drive", values.config_drive, **_LATER),
    _field("key_name", _column_or_null("key_name"), in_rebuild_since=version("2.54"), **_LATER),
    _field("OS-SRV-USG:launched_at", values.launched_at, **_LATER),
    _field("OS-SRV-USG:terminated_at", values.terminated_at, **_LATER),
    _field("security_groups", values.security_groups, needs="interfaces", **_LATER),
    _field("OS-EXT-STS:task_state", _column_or_null("task_state"), **_LATER),
    _field("OS-EXT-STS:vm_state", _column("vm_state"), **_LATER),
    _field("OS-EXT-STS:power_state", _column("power_state"), **_LATER),
    _field("os-extended-volumes:volumes_attached", lambda row, shown: [], **_LATER),
    _field("OS-EXT-SRV-ATTR:host", _column_or_null("host"), **_ADMIN),
    _field("OS-EXT-SRV-ATTR:hypervisor_hostname", _column_or_null("node"), **_ADMIN),
    _field("OS-EXT-SRV-ATTR:instance_name", values.instance_name, **_ADMIN),
    _field("OS-EXT-SRV-ATTR:hostname", _column("hostname"), since="2.3", before="2.90", **_ADMIN),
    _field("OS-EXT-SRV-ATTR:hostname", _column("hostname"), since="2.90", **_LATER),
    _field("OS-EXT-SRV-ATTR:reservation_id", _column("reservation_id"), since="2.3", **_ADMIN),
    _field("OS-EXT-SRV-ATTR:launch_index", _column("launch_index"), since="2.3", **_ADMIN),
    _field("OS-EXT-SRV-ATTR:kernel_id", _constant(""), since="2.3", **_ADMIN),
    _field("OS-EXT-SRV-ATTR:ramdisk_id", _constant(""), since="2.3", **_ADMIN),
    _field("OS-EXT-SRV-ATTR:root_device_name", _column("root_device_name"), since="2.3", **_ADMIN),
    _field("OS-EXT-SRV-ATTR:user_data", _column_or_null("user_data"), since="2.3",
           bodies=EVERYWHERE - {Body.REBUILD}, **_ADMIN),
    _field("user_data", _column_or_null("user_data"), since="2.57", bodies=frozenset({Body.REBUILD})),
    _field("locked", _column("locked"), since="2.9"),
    _field("host_status", values.host_status, since="2.16", is_late=True, policy=_HOST_STATUS,
           needs="host_statuses"),
    _field("description", _column("description"), since="2.19"),
    _field("tags", values.tags, since="2.26", needs="tags"),
    _field("trusted_image_certificates", _constant(None), since="2.63"),
    _field("server_groups", values.server_groups, since="2.71", bodies=EVERYWHERE - {Body.LIST}, needs="groups"),
    _field("locked_reason", _column_or_null("locked_reason"), since="2.73"),
    _field("pinned_availability_zone", _column_or_null("pinned_availability_zone"), since="2.96"),
    _field("scheduler_hints", _column("scheduler_hints"), since="2.100"),
)  # fmt: skip
