"""What lists may be filtered by.

Each filter takes a queryset and the values of one query parameter, any of which may hold, and restricts the queryset.

Source: https://docs.openstack.org/api-ref/network/v2/#filtering
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet

from cloud.core.times import read_time
from cloud.networks.errors import BadRequest
from cloud.networks.models import (
    AddressScope,
    FixedIp,
    FloatingIp,
    Network,
    Port,
    QosPolicy,
    RbacPolicy,
    ResourceTag,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
)

Filter = Callable[[QuerySet[Any], Sequence[str]], QuerySet[Any]]
_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_FALSE = frozenset({"false", "0", "no", "off", "f", "n"})
_ADDRESS_LOOKUPS = {"ip_address": "ip_address", "subnet_id": "subnet_id", "ip_address_substr": "ip_address__contains"}


def boolean(name: str, text: str) -> bool:
    """Read a truth value as oslo.utils does. Raises BadRequest."""
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise BadRequest(f"Invalid input for {name}. Reason: '{text[:40]}' cannot be converted to boolean.")
    return word in _TRUE


def number(name: str, text: str) -> int:
    """Read a whole number. Raises BadRequest."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise BadRequest(f"Invalid input for {name}. Reason: '{text[:40]}' is not an integer.")
    return int(text)


def _text(column: str) -> Filter:
    return lambda rows, values: rows.filter(**{f"{column}__in": values})


def _nullable(column: str) -> Filter:
    """Restrict by a column of which `null` and the empty text mean that there is no value."""

    def restrict(rows: QuerySet[Any], values: Sequence[str]) -> QuerySet[Any]:
        wanted = Q(**{f"{column}__in": [value for value in values if value not in ("", "null", "None")]})
        if any(value in ("", "null", "None") for value in values):
            wanted |= Q(**{f"{column}__isnull": True})
        return rows.filter(wanted)

    return restrict


def _boolean(column: str) -> Filter:
    return lambda rows, values: rows.filter(**{f"{column}__in": [boolean(column, value) for value in values]})


def _number(column: str) -> Filter:
    return lambda rows, values: rows.filter(**{f"{column}__in": [number(column, value) for value in values]})


def _always(value: str) -> Filter:
    """Restrict by what is the same for all rows."""
    return lambda rows, values: rows if value in values else rows.none()


def _changed_since(rows: QuerySet[Any], values: Sequence[str]) -> QuerySet[Any]:
    return rows.filter(updated_at__gte=read_time(values[-1]))


def _fixed_ips(rows: QuerySet[Port], values: Sequence[str]) -> QuerySet[Port]:
    wanted = Q()
    for value in values:
        key, _, text = value.partition("=")
        if key not in _ADDRESS_LOOKUPS or not text:
            raise BadRequest(f"Invalid input for fixed_ips. Reason: '{value[:80]}' is not ip_address= or subnet_id=.")
        wanted |= Q(**{_ADDRESS_LOOKUPS[key]: text})
    return rows.filter(id__in=FixedIp.objects.filter(wanted).values("port_id"))


def _groups(rows: QuerySet[Port], values: Sequence[str]) -> QuerySet[Port]:
    members = Port.security_groups.through.objects.filter(securitygroup_id__in=values)
    return rows.filter(id__in=members.values("port_id"))


def _led(rows: QuerySet[FloatingIp], values: Sequence[str]) -> QuerySet[FloatingIp]:
    """Restrict by a status: ACTIVE for what leads somewhere, DOWN for the rest."""
    wanted = [is_idle for status, is_idle in (("ACTIVE", False), ("DOWN", True)) if status in values]
    return rows.filter(fixed_ip__isnull=wanted[0]) if len(wanted) == 1 else rows if wanted else rows.none()


def _split(values: Sequence[str]) -> list[str]:
    return [tag for value in values for tag in value.split(",") if tag]


def _tagged(tags: Sequence[str]) -> QuerySet[ResourceTag, Any]:
    return ResourceTag.objects.filter(tag__in=tags).values("resource_id")


def _all_tags(rows: QuerySet[Any], values: Sequence[str]) -> QuerySet[Any]:
    for tag in _split(values):
        rows = rows.filter(id__in=_tagged([tag]))
    return rows


def _any_tag(rows: QuerySet[Any], values: Sequence[str]) -> QuerySet[Any]:
    return rows.filter(id__in=_tagged(_split(values)))


def _not_all_tags(rows: QuerySet[Any], values: Sequence[str]) -> QuerySet[Any]:
    return rows.exclude(id__in=_all_tags(rows.model._default_manager.all(), values).values("id"))


def _not_any_tag(rows: QuerySet[Any], values: Sequence[str]) -> QuerySet[Any]:
    return rows.exclude(id__in=_tagged(_split(values)))


_STANDARD: dict[str, Filter] = {
    **{name: _text(name) for name in ("id", "name", "description", "project_id")},
    "tenant_id": _text("project_id"),
    "revision_number": _number("revision_number"),
    "changed_since": _changed_since,
}
_TAGS: dict[str, Filter] = {
    "tags": _all_tags, "tags-any": _any_tag, "not-tags": _not_all_tags, "not-tags-any": _not_any_tag,
}

FILTERS: dict[type[Model], dict[str, Filter]] = {
    Network: {
        **_STANDARD, **_TAGS,
        **{name: _boolean(name) for name in ("admin_state_up", "shared", "port_security_enabled")},
        "router:external": _boolean("is_external"),
        "mtu": _number("mtu"),
        "is_default": _boolean("is_default"),
        "qos_policy_id": _nullable("qos_policy_id"),
        "provider:network_type": _text("network_type"),
        "provider:physical_network": _text("physical_network"),
        "provider:segmentation_id": _number("segmentation_id"),
        "status": _always("ACTIVE"),
    },
    Subnet: {
        **_STANDARD, **_TAGS,
        **{name: _text(name) for name in ("network_id", "cidr", "gateway_ip", "ipv6_address_mode", "ipv6_ra_mode")},
        "ip_version": _number("ip_version"),
        "enable_dhcp": _boolean("enable_dhcp"),
        "shared": _boolean("network__shared"),
        "router:external": _boolean("network__is_external"),
        "subnetpool_id": _nullable("subnetpool_id"),
    },
    SubnetPool: {
        **_STANDARD, **_TAGS,
        **{name: _number(name) for name in ("ip_version", "min_prefixlen", "default_prefixlen", "max_prefixlen",
                                            "default_quota")},
        **{name: _boolean(name) for name in ("shared", "is_default")},
        "address_scope_id": _nullable("address_scope_id"),
    },
    QosPolicy: {**_STANDARD, **_TAGS, **{name: _boolean(name) for name in ("shared", "is_default")}},
    RbacPolicy: {
        **{name: _text(name) for name in ("id", "project_id", "object_type", "object_id", "action")},
        "tenant_id": _text("project_id"),
        "target_tenant": _text("target_project"),
    },
    AddressScope: {
        **{name: _STANDARD[name] for name in ("id", "name", "project_id", "tenant_id")},
        "ip_version": _number("ip_version"),
        "shared": _boolean("shared"),
    },
    Port: {
        **_STANDARD, **_TAGS,
        **{name: _text(name) for name in ("network_id", "mac_address", "status", "device_id", "device_owner")},
        **{name: _boolean(name) for name in ("admin_state_up", "port_security_enabled")},
        "binding:host_id": _text("host"),
        "binding:vnic_type": _text("vnic_type"),
        "qos_policy_id": _nullable("qos_policy_id"),
        "fixed_ips": _fixed_ips,
        "security_groups": _groups,
        "security_group_id": _groups,
    },
    Router: {
        **_STANDARD, **_TAGS,
        "admin_state_up": _boolean("admin_state_up"),
        "status": _always("ACTIVE"),
    },
    FloatingIp: {
        **{name: found for name, found in _STANDARD.items() if name != "name"}, **_TAGS,
        "floating_ip_address": _text("floating_ip_address"),
        "floating_network_id": _text("network_id"),
        "fixed_ip_address": _nullable("fixed_ip__ip_address"),
        "port_id": _nullable("fixed_ip__port_id"),
        "router_id": _nullable("router_id"),
        "status": _led,
    },
    SecurityGroup: {**_STANDARD, **_TAGS, "stateful": _boolean("stateful"), "shared": _boolean("is_granted")},
    SecurityGroupRule: {
        **{name: rule for name, rule in _STANDARD.items() if name != "name"},
        **{name: _text(name) for name in ("direction", "ethertype")},
        **{name: _nullable(name) for name in ("protocol", "remote_ip_prefix")},
        **{name: _number(name) for name in ("port_range_min", "port_range_max")},
        "security_group_id": _text("group_id"),
        "remote_group_id": _nullable("remote_group_id"),
        "belongs_to_default_sg": _boolean("group__is_default"),
    },
}

# Sorting needs columns without nulls, so that a page can begin behind a marker.
_SORTABLE = {"id": "id", "project_id": "project_id", "tenant_id": "project_id", "description": "description",
             "created_at": "created_at", "updated_at": "updated_at", "revision_number": "revision_number"}
_NAMED = {**_SORTABLE, "name": "name"}
SORT_COLUMNS: dict[type[Model], dict[str, str]] = {
    Network: {**_NAMED, "admin_state_up": "admin_state_up", "shared": "shared", "mtu": "mtu"},
    Subnet: {**_NAMED, **{name: name for name in ("network_id", "cidr", "ip_version", "gateway_ip", "enable_dhcp")}},
    Port: {**_NAMED, **{name: name for name in ("network_id", "mac_address", "status", "device_id", "device_owner",
                                                "admin_state_up")}},
    SubnetPool: {**_NAMED, **{name: name for name in ("ip_version", "shared", "is_default", "default_prefixlen")}},
    QosPolicy: {**_NAMED, "shared": "shared", "is_default": "is_default"},
    RbacPolicy: {"id": "id", "project_id": "project_id", "tenant_id": "project_id", "object_id": "object_id",
                 "target_tenant": "target_project"},
    AddressScope: {**_NAMED, "ip_version": "ip_version", "shared": "shared"},
    Router: {**_NAMED, "admin_state_up": "admin_state_up"},
    FloatingIp: {**_SORTABLE, "floating_ip_address": "floating_ip_address", "floating_network_id": "network_id"},
    SecurityGroup: {**_NAMED, "stateful": "stateful"},
    SecurityGroupRule: {**_SORTABLE, "direction": "direction", "ethertype": "ethertype",
                        "security_group_id": "group_id"},
}
