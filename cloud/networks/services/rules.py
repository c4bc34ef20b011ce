"""Security group rules made and removed."""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import GroupNotFound, RuleExists, RuleNotFound
from cloud.networks.models import SecurityGroup, SecurityGroupRule
from cloud.networks.selectors import visible
from cloud.networks.selectors.owned import group_of_rule, lock_group
from cloud.networks.services import changes
from cloud.networks.services.changing import save_changes
from cloud.networks.services.quotas import make_room
from cloud.networks.services.rule_checks import check_rule, read_protocol

_SAME = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix",
         "remote_group_id")


def create_rules(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make rules, all or none, from the API's attributes; a rule belongs to its group's project. Return their ids.

    Raises:
        GroupNotFound: the group is not the token's, or the remote one is none that it may use.
        RuleInvalid, RuleConflict: it contradicts itself. RuleExists: the group has it.
        OverQuota
    """
    rules = [_read(item) for item in wanted]
    with transaction.atomic():
        groups = {group_id: lock_group(context, group_id)
                  for group_id in sorted({rule["security_group_id"] for rule in rules})}
        for project_id, count in Counter(groups[rule["security_group_id"]].project_id for rule in rules).items():
            make_room(project_id, "security_group_rule", count)
        ids = [_create(context, groups[rule["security_group_id"]], rule) for rule in rules]
        for group in groups.values():
            save_changes(group, {})
        _tell(groups)
        return ids


def delete_rule(context: RequestContext, rule_id: str) -> None:
    """Remove a rule. Raises RuleNotFound."""
    with transaction.atomic():
        group = lock_group(context, group_of_rule(context, rule_id))
        if not group.rules.filter(id=rule_id).delete()[0]:
            raise RuleNotFound(rule_id=rule_id)
        save_changes(group, {})
        _tell([group.id])


def _tell(group_ids: Iterable[str]) -> None:
    """Let hosts hear of other rules, and of who is meant by them."""
    changes.note(changes.of_group(one) for one in group_ids)


def _read(item: dict[str, Any]) -> dict[str, Any]:
    rule = {name: item.get(name) for name in (*_SAME, "security_group_id", "description")}
    rule["ethertype"] = rule["ethertype"] or "IPv4"
    rule["description"] = rule["description"] or ""
    rule["protocol"] = read_protocol(rule["protocol"])
    rule["remote_group_id"] = rule["remote_group_id"] or None
    rule["remote_ip_prefix"] = _prefix(rule["remote_ip_prefix"])
    check_rule(rule)
    return rule


def _prefix(text: str | None) -> str | None:
    return str(ipaddress.ip_interface(text)) if text else None


def _create(context: RequestContext, group: SecurityGroup, rule: dict[str, Any]) -> str:
    remote = rule["remote_group_id"]
    if remote and not visible.security_groups(context).filter(id=remote).exists():
        raise GroupNotFound(group_id=remote)
    same = {name if rule[name] is not None else f"{name}__isnull": True if rule[name] is None else rule[name]
            for name in _SAME}
    twin = SecurityGroupRule.objects.filter(group=group, **same).values_list("id", flat=True).first()
    if twin is not None:
        raise RuleExists(rule_id=twin)
    columns = {name: rule[name] for name in (*_SAME, "description")}
    return SecurityGroupRule.objects.create(group=group, project_id=group.project_id, **columns).id
