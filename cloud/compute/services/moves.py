"""What a server holds while it moves, and how that ends: the rows and claims of migrations."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cloud.compute.models import Instance, Migration
from cloud.compute.models.migrations import EVACUATION, UNFINISHED, MigrationStatus
from cloud.core.clock import database_now
from cloud.identity.services import quotas
from cloud.placement.services import claims
from contracts.scheduling import RequestSpec

_COUNTED = {"cores": "vcpus", "ram": "memory_mb"}
# The disks of a flavor that travel; see compute_agent.storage.moving.
_ROOT, _EPHEMERAL = "disk", "disk.eph0"


def unfinished(instance_uuid: str) -> Migration | None:
    """Return the move of an instance that is neither confirmed nor given up."""
    return Migration.objects.filter(instance_uuid=instance_uuid, status__in=UNFINISHED).first()


def set_status(migration: Migration, status: MigrationStatus, **changes: Any) -> bool:
    """Let a move go on, with other columns; tell whether it was not at its end."""
    rows = Migration.objects.filter(pk=migration.pk, status__in=UNFINISHED)
    changes = {"status": status, "updated_at": database_now(), **changes}
    for name, value in changes.items():
        setattr(migration, name, value)
    return bool(rows.update(**changes))


def larger(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, int]:
    """Return by how much each amount that a quota counts is larger after than before."""
    return {name: after[column] - before[column] for name, column in _COUNTED.items() if after[column] > before[column]}


def held(instance: Instance) -> dict[str, int]:
    """Return what the project's quota counts for an instance: of both flavors while it moves, the larger amounts."""
    return held_in(instance, unfinished(instance.uuid))


def held_in(instance: Instance, migration: Migration | None) -> dict[str, int]:
    """Return the same where it is known whether it moves."""
    flavors = [migration.before["flavor"], migration.after["flavor"]] if migration else [instance.flavor]
    return {"instances": 1, **{name: max(one[column] for one in flavors) for name, column in _COUNTED.items()}}


def wanted(
    spec: RequestSpec, plan: Mapping[str, Any], group_hosts: Sequence[str], hosts_tried: Sequence[str] = ()
) -> RequestSpec:
    """Return what the scheduler is asked for a move.

    Args:
        spec: of the server after the move.
        plan: of the operation; it may name a host, and some that will not do.
        group_hosts: where the other members of its group are.
        hosts_tried: where it could not go.
    """
    return msgspec.structs.replace(
        spec,
        ignore_hosts=[*spec.ignore_hosts, *plan.get("ignore_hosts", []), *hosts_tried],
        requested_host=plan.get("requested_host", ""),
        group_hosts=list(group_hosts),
    )


def travelling(migration: Migration) -> list[str]:
    """Return the names of the disks that an instance takes along."""
    return [_ROOT, *([_EPHEMERAL] if migration.before["flavor"].get("ephemeral_gb") else [])]


def last_word(migration: Migration) -> MigrationStatus:
    """Return how a move stands that another request cut short: an evacuated server's old place is dead all the same."""
    is_left = migration.migration_type == EVACUATION and migration.status == MigrationStatus.POST_MIGRATING
    return MigrationStatus.DONE if is_left else MigrationStatus.ERROR


def stay(migration: Migration, status: MigrationStatus = MigrationStatus.ERROR) -> list[str]:
    """End a move at its destination: the source's claim and the smaller flavor's room go. Return the hosts concerned.

    Call it in the transaction that decides so.
    """
    if not set_status(migration, status):
        return []
    hosts = claims.release([migration.uuid])
    quotas.release(migration.project_id, larger(migration.after["flavor"], migration.before["flavor"]))
    return hosts


def go_back(migration: Migration) -> list[str]:
    """Let the instance hold of its source what it held there, and nothing of its destination. Return the hosts.

    The move goes on; `give_up` ends it.
    """
    if not claims.holds(migration.uuid):
        return []
    hosts = claims.release([migration.instance_uuid])
    claims.transfer(migration.uuid, migration.instance_uuid)
    return hosts


def give_up(migration: Migration, status: MigrationStatus = MigrationStatus.ERROR) -> list[str]:
    """End a move at its source: what was held for the destination goes. Return the hosts concerned."""
    hosts = go_back(migration)
    if set_status(migration, status):
        quotas.release(migration.project_id, larger(migration.before["flavor"], migration.after["flavor"]))
    return hosts
