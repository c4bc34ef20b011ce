"""Where the members of server groups are."""

from collections.abc import Collection, Sequence

from cloud.compute.models import Instance, ServerGroupMember


def member_hosts(instance_uuids: Sequence[str]) -> dict[str, list[str]]:
    """Return for each instance the hosts of its group's other living members, an entry for each."""
    groups = dict(
        ServerGroupMember.objects.filter(instance_uuid__in=instance_uuids).values_list("instance_uuid", "group_id")
    )
    hosts = hosts_of_groups(set(groups.values()))
    return {
        uuid: [host for member, host in hosts.get(groups[uuid], {}).items() if member != uuid] if uuid in groups else []
        for uuid in instance_uuids
    }


def hosts_of_groups(group_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Return for each group the host of each of its living members that has one."""
    members: dict[str, int] = dict(
        ServerGroupMember.objects.filter(group_id__in=group_ids).values_list("instance_uuid", "group_id")
    )
    placed = Instance.objects.filter(uuid__in=members, deleted=False).exclude(host="").values_list("uuid", "host")
    found: dict[int, dict[str, str]] = {}
    for uuid, host in placed:
        found.setdefault(members[uuid], {})[uuid] = host
    return found
