"""Making and removing server groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from cloud.compute.models import ServerGroup
from cloud.core.context import RequestContext
from cloud.identity.services import quotas


@dataclass(frozen=True)
class GroupRequest:
    """What is asked. The rule `max_server_per_host` goes with anti-affinity only."""

    name: str
    policy: str
    rules: Mapping[str, int] = field(default_factory=dict)


def create_group(context: RequestContext, asked: GroupRequest) -> ServerGroup:
    """Make a group of the context's project.

    Raises:
        QuotaExceeded
    """
    with transaction.atomic():
        quotas.reserve(context.project_id, {"server_groups": 1})
        return ServerGroup.objects.create(
            name=asked.name, policy=asked.policy, rules=dict(asked.rules), project_id=context.project_id,
            user_id=context.user_id,
        )  # fmt: skip


def delete_group(group: ServerGroup) -> None:
    """Remove a group; its servers stay as they are."""
    with transaction.atomic():
        deleted, _ = ServerGroup.objects.filter(pk=group.pk).delete()
        if deleted:
            quotas.release(group.project_id, {"server_groups": 1})
