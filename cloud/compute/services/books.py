"""What is booked of a project or a host, set to what there is: by an operator's command and by the sweeps alike."""

from collections.abc import Collection

from django.db import transaction

from cloud.compute.selectors.holdings import COUNTED, holdings
from cloud.compute.services import host_feed
from cloud.identity.services import quotas
from cloud.placement.services import claims
from cloud.placement.services.recount import recount


def recount_project(project_id: str) -> dict[str, tuple[int, int]]:
    """Set the usage of a project to what it has; return what changed, by resource: before and after."""
    with transaction.atomic():
        # Who makes or deletes a server now waits with its quota, and is counted by the one or by the other.
        quotas.hold_still(project_id, COUNTED)
        before, has = quotas.usages(project_id, COUNTED), holdings(project_id)
        after = {name: has[project_id, name] for name in COUNTED}
        if before != after:
            quotas.correct(project_id, after)
    return {name: (before[name], after[name]) for name in COUNTED if before[name] != after[name]}


def recount_host(host: str, nobodys: Collection[str]) -> bool:
    """Take from a host what these consumers hold, set what is booked to what is held; tell whether that changed it."""
    with transaction.atomic():
        changed = sorted({*claims.release(nobodys), *recount([host])})
        host_feed.publish(changed)
    return bool(changed)
