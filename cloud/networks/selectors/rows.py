"""Rows with all that belongs to them, in a few queries for any number of rows.

Each function takes a queryset, filtered, sorted and sliced, and returns plain dicts in its order.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any

from django.db.models import Model, QuerySet

from cloud.networks.models import (
    BandwidthLimit,
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
)
from cloud.networks.models.device_owners import ROUTER_GATEWAY

Row = dict[str, Any]
Reader = Callable[[QuerySet[Any]], list[Row]]


def network_rows(networks: QuerySet[Network]) -> list[Row]:
    """Return networks with `subnet_ids`, `scopes` (address scopes by IP version) and `tags`."""
    rows = list(networks.values())
    columns = ("id", "network_id", "ip_version", "subnetpool__address_scope_id")
    subnets: dict[str, list[Row]] = defaultdict(list)
    found = Subnet.objects.filter(network__in=[row["id"] for row in rows]).order_by("created_at", "id")
    for subnet in found.values(*columns):
        subnets[subnet["network_id"]].append(subnet)
    for row in rows:
        mine = subnets[row["id"]]
        row["subnet_ids"] = [subnet["id"] for subnet in mine]
        row["scopes"] = {subnet["ip_version"]: subnet["subnetpool__address_scope_id"] for subnet in mine}
    return _with_tags(rows)


def plain_rows(resources: QuerySet[Any]) -> list[Row]:
    """Return rows of their own columns, with `tags`."""
    return _with_tags(list(resources.values()))


def policy_rows(policies: QuerySet[QosPolicy]) -> list[Row]:
    """Return QoS policies with `limits` and `tags`."""
    rows = list(policies.values())
    limits = _by_key(BandwidthLimit, "policy_id", [row["id"] for row in rows], "direction")
    for row in rows:
        row["limits"] = limits[row["id"]]
    return _with_tags(rows)


def rbac_rows(policies: QuerySet[RbacPolicy]) -> list[Row]:
    """Return RBAC policies."""
    return list(policies.values())


def port_rows(ports: QuerySet[Port]) -> list[Row]:
    """Return ports with `addresses`, `group_ids` and `tags`."""
    rows = list(ports.values())
    ids = [row["id"] for row in rows]
    addresses = _by_key(FixedIp, "port_id", ids, "id")
    groups = _by_key(Port.security_groups.through, "port_id", ids, "id")
    for row in rows:
        row["addresses"] = addresses[row["id"]]
        row["group_ids"] = [group["securitygroup_id"] for group in groups[row["id"]]]
    return _with_tags(rows)


def router_rows(routers: QuerySet[Router]) -> list[Row]:
    """Return routers with `gateway`, the port's row with `addresses` or None, and `tags`."""
    rows = list(routers.values())
    ids = [row["id"] for row in rows]
    ports = {port["router_id"]: port for port in
             Port.objects.filter(router__in=ids, device_owner=ROUTER_GATEWAY).values("id", "router_id", "network_id")}
    addresses = _by_key(FixedIp, "port_id", [port["id"] for port in ports.values()], "id")
    for row in rows:
        port = ports.get(row["id"])
        row["gateway"] = {**port, "addresses": addresses[port["id"]]} if port else None
    return _with_tags(rows)


_LED_TO = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")


def floating_ip_rows(floating_ips: QuerySet[FloatingIp]) -> list[Row]:
    """Return floating addresses with `fixed_ip_address`, `port_id` and `port` of where they lead, and `tags`."""
    columns = [field.attname for field in FloatingIp._meta.concrete_fields]
    led = {f"fixed_ip__port__{name}": name for name in _LED_TO}
    rows = list(floating_ips.values(*columns, "fixed_ip__ip_address", "fixed_ip__port_id", *led))
    for row in rows:
        row["fixed_ip_address"] = row.pop("fixed_ip__ip_address")
        row["port_id"] = row.pop("fixed_ip__port_id")
        row["port"] = {name: row.pop(column) for column, name in led.items()}
    return _with_tags(rows)


def group_rows(groups: QuerySet[SecurityGroup]) -> list[Row]:
    """Return security groups with `rules` and `tags`."""
    rows = list(groups.values())
    rules = _by_key(SecurityGroupRule, "group_id", [row["id"] for row in rows], "created_at", "id")
    for row in rows:
        row["rules"] = [{**rule, "group__is_default": row["is_default"]} for rule in rules[row["id"]]]
    return _with_tags(rows)


def rule_rows(rules: QuerySet[SecurityGroupRule]) -> list[Row]:
    """Return rules, with `group__is_default`."""
    columns = [field.attname for field in SecurityGroupRule._meta.concrete_fields]
    return list(rules.values(*columns, "group__is_default"))


def tags_of(ids: Collection[str]) -> dict[str, list[str]]:
    """Return the tags of resources by their id, sorted; an empty list for what has none."""
    found: dict[str, list[str]] = defaultdict(list)
    pairs = ResourceTag.objects.filter(resource_id__in=ids).order_by("tag").values_list("resource_id", "tag")
    for resource_id, tag in pairs:
        found[resource_id].append(tag)
    return found


def _with_tags(rows: list[Row]) -> list[Row]:
    tags = tags_of([row["id"] for row in rows])
    for row in rows:
        row["tags"] = tags[row["id"]]
    return rows


def _by_key(model: type[Model], key: str, ids: Collection[str], *order: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in model._default_manager.filter(**{f"{key}__in": ids}).order_by(*order).values():
        found[row[key]].append(row)
    return found
