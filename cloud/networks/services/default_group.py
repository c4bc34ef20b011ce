"""The security group `default`, which a project gets when it first needs one."""

from django.db import IntegrityError, transaction

from cloud.core.kept import Kept
from cloud.networks.models import SecurityGroup, SecurityGroupRule

NAME = "default"
_ETHERTYPES = ("IPv4", "IPv6")
_default: Kept[str] = Kept(
    lambda project_id: SecurityGroup.objects.filter(project_id=project_id, is_default=True).values_list("id", flat=True)
)


def default_group_id(project_id: str) -> str:
    """Return the id of a project's default group, made with Neutron's four rules if there is none.

    The rules let everything out, and in only what comes from members of the group.
    """
    found = _find(project_id)
    if found is None:
        try:
            with transaction.atomic():
                return _make(project_id)
        except IntegrityError:
            # Somebody else made it in the meantime, which is as good.
            found = _find(project_id)
    return str(found)


def _find(project_id: str) -> str | None:
    return _default.first(project_id=project_id)


def _make(project_id: str) -> str:
    group = SecurityGroup.objects.create(
        project_id=project_id, name=NAME, description="Default security group", is_default=True
    )
    rules = [*open_egress(group)]
    rules += [
        SecurityGroupRule(group=group, project_id=project_id, direction="ingress", ethertype=ethertype,
                          remote_group=group)
        for ethertype in _ETHERTYPES
    ]
    SecurityGroupRule.objects.bulk_create(rules)
    return group.id


def open_egress(group: SecurityGroup) -> list[SecurityGroupRule]:
    """Return, unsaved, the two rules with which every group begins: everything may go out."""
    return [
        SecurityGroupRule(group=group, project_id=group.project_id, direction="egress", ethertype=ethertype)
        for ethertype in _ETHERTYPES
    ]
