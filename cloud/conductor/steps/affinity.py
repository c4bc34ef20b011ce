"""Server groups at the moment of the claim: schedulers race, so the rule is judged again under the group's lock."""

from collections import Counter
from collections.abc import Sequence

from cloud.compute.models import Instance, ServerGroup, ServerGroupMember
from cloud.compute.selectors.group_hosts import hosts_of_groups
from contracts.scheduling import RequestSpec

AFFINITY = "affinity"
ANTI_AFFINITY = "anti-affinity"


class GroupRules:
    """The hard rules of the groups of some instances, with those groups locked until the transaction ends."""

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._specs = {one.uuid: RequestSpec.from_wire(one.request_spec) for one in instances}
        bound = [uuid for uuid, spec in self._specs.items() if spec.group_policy in (AFFINITY, ANTI_AFFINITY)]
        self._group_of: dict[str, int] = {}
        self._hosts: dict[int, Counter[str]] = {}
        if bound:
            self._lock(bound)

    def _lock(self, uuids: list[str]) -> None:
        self._group_of = dict(
            ServerGroupMember.objects.filter(instance_uuid__in=uuids).values_list("instance_uuid", "group_id")
        )
        ids = set(self._group_of.values())
        list(ServerGroup.objects.select_for_update().filter(id__in=ids).order_by("id").values_list("id"))
        placed = hosts_of_groups(ids)
        self._hosts = {one: Counter(placed.get(one, {}).values()) for one in ids}

    def enter(self, instance: Instance, host: str) -> bool:
        """Count the instance on the host if its group allows that; tell whether it does."""
        group = self._group_of.get(instance.uuid)
        if group is None:
            return True
        hosts, spec = self._hosts[group], self._specs[instance.uuid]
        if spec.group_policy == AFFINITY and +hosts and not hosts[host]:
            return False
        if spec.group_policy == ANTI_AFFINITY and hosts[host] >= spec.max_per_host:
            return False
        hosts[host] += 1
        return True

    def leave(self, instance: Instance, host: str) -> None:
        """Take back what `enter` counted."""
        group = self._group_of.get(instance.uuid)
        if group is not None:
            self._hosts[group][host] -= 1
