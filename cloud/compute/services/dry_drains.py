"""Dry runs of emptying a host: where each of its servers would go, if all of them were migrated."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.conf import settings

from cloud.compute.errors import HostNotFound
from cloud.compute.models import ComputeNode, Instance, ServerGroupMember
from cloud.compute.selectors.group_hosts import member_hosts
from cloud.compute.services import move_server, moves, releases
from cloud.compute.services.considering import Alike, Consideration
from cloud.compute.services.dry_runs import DryRun, Outlook
from cloud.compute.services.placement_reports import Explained
from cloud.core.context import RequestContext
from cloud.core.errors import CloudError
from contracts.scheduling import RequestSpec

MOST = 1_000


def drain(context: RequestContext, host: str) -> DryRun:
    """Say where each server of a host would go if all of them were migrated, the largest first.

    Raises:
        HostNotFound: there is no such host.
    """
    if not ComputeNode.objects.filter(host=host).exists():
        raise HostNotFound(host=host)
    rows = Instance.objects.filter(host=host, deleted=False)
    servers = sorted(rows.defer("user_data", "key_data")[:MOST], key=_size)
    refusals = _refusals(context, servers, host)
    decisions = Consideration(context.request_id).decide(_alike([one for one in servers if one.uuid not in refusals]))
    outlooks = [
        Outlook(one.display_name, one.uuid, None, refusals[one.uuid])
        if one.uuid in refusals else Outlook(one.display_name, one.uuid, Explained(decisions[one.uuid]))
        for one in servers
    ]
    return DryRun("drain", outlooks, rows.count() - len(servers), host)


def _size(instance: Instance) -> tuple[int, int, int]:
    spec = RequestSpec.from_wire(instance.request_spec)
    return -spec.memory_mb, -spec.vcpus, instance.id


def _refusals(context: RequestContext, servers: Sequence[Instance], host: str) -> dict[str, str]:
    """Return why servers would not be moved, by their uuids."""
    found = {}
    for one in servers:
        try:
            move_server.check_movable(context, one, "migrate")
        except CloudError as refusal:
            found[one.uuid] = refusal.message
    try:
        releases.check("resize", {host})
    except CloudError as refusal:
        return {one.uuid: refusal.message for one in servers} | found
    return found


def _alike(servers: Sequence[Instance]) -> list[Alike]:
    """Return the servers by what they ask, in their order."""
    uuids = [one.uuid for one in servers]
    others = member_hosts(uuids)
    groups: Mapping[str, int] = dict(
        ServerGroupMember.objects.filter(instance_uuid__in=uuids).values_list("instance_uuid", "group_id")
    )
    sets: dict[tuple[str, int], list[str]] = defaultdict(list)
    specs: dict[tuple[str, int], RequestSpec] = {}
    for one in servers:
        spec = moves.wanted(move_server.spec_elsewhere(one), move_server.plan_elsewhere(one), others[one.uuid])
        key = (repr(spec), groups.get(one.uuid, 0))
        sets[key].append(one.uuid)
        specs[key] = spec
    return [
        Alike(keys, specs[key], settings.SCHEDULER_ALTERNATES, str(key[1] or "")) for key, keys in sets.items()
    ]
