"""What users ask for in the middle of what they asked for before, at any moment, and what must become of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.conf import settings

from cloud.compute import states
from cloud.compute.models import Instance, InstanceFault
from tests.chaos.sim.boundaries import Boundary
from tests.chaos.sim.users import Users
from tests.chaos.sim.verdict import is_settled
from tests.chaos.sim.world import World

KEPT_SECONDS = 3600
# For so long an agent stands where it is: the other request and its orders come to all that it does not hold up.
_STANDSTILL_SECONDS = 1.0
_ACCEPTED = (202, 204)
_RESTORE_SECONDS = 60.0
_SAYS_SO = "^(Delete|Restore) failed: "

ONCE = ("take",)
MOMENTS = (*ONCE, "commit.after", "publish.before", "effect.before", "effect.after", "record.after")
_KEEPING = ("soft_delete", "restore", "delete")


@dataclass(frozen=True)
class Interruption:
    """A row.

    Attributes:
        points: the boundaries at which it is asked for.
        ask: asks it of one server.
        becomes: the vm_states in which that server may rest once this was accepted; empty for any.
        only: in which workflows; empty for all.
    """

    points: tuple[str, ...]
    ask: Callable[[Users, str], None]
    becomes: frozenset[str] = frozenset()
    only: tuple[str, ...] = ()

    def strike(self, world: World, users: Users, boundary: Boundary) -> None:
        """Have it asked at this moment."""
        world.trouble_until(0)
        _meanwhile(world, boundary, lambda: self._ask(world, users))

    def _ask(self, world: World, users: Users) -> None:
        for uuid in [] if world.database.is_away else users.living()[:1]:
            self.ask(users, uuid)
            if self.becomes and users.answers[-1] in _ACCEPTED:
                users.accepted[uuid] = self.becomes


def _meanwhile(world: World, boundary: Boundary, job: Callable[[], None]) -> None:
    """Let somebody else do something while a process stands at a boundary."""
    connection = world.database.connection
    if boundary.process == "agent":
        world.defer(job)
        world.trouble_until(_STANDSTILL_SECONDS)
        world.clock.sleep(_STANDSTILL_SECONDS)
    elif boundary.point in ONCE or connection.in_atomic_block:
        world.defer(job)
    elif connection.get_autocommit():
        job()
    else:  # within the commit itself: before anything that is to follow it
        connection.run_on_commit.insert(0, (set(), job, False))


def _act(action: str, body: object = None) -> Callable[[Users, str], None]:
    return lambda users, uuid: users.act(uuid, action, body)


def _delete(users: Users, uuid: str) -> None:
    users.delete(uuid)


def _delete_and_keep(users: Users, uuid: str) -> None:
    settings.RECLAIM_INSTANCE_INTERVAL = KEPT_SECONDS
    users.delete(uuid)


_GONE, _GONE_OR_KEPT = frozenset({states.DELETED}), frozenset({states.DELETED, states.SOFT_DELETED})
INTERRUPTIONS: dict[str, Interruption] = {
    "deleted": Interruption(MOMENTS, _delete, _GONE_OR_KEPT),
    "kept": Interruption(MOMENTS, _delete_and_keep, _GONE_OR_KEPT),
    "force-deleted": Interruption(MOMENTS, _act("forceDelete"), _GONE, only=_KEEPING),
    "restored": Interruption(MOMENTS, _act("restore"), frozenset({states.ACTIVE}), only=_KEEPING),
    "reset-to-error": Interruption(ONCE, _act("os-resetState", {"state": "error"})),
    "reset-to-active": Interruption(ONCE, _act("os-resetState", {"state": "active"})),
}


def restore_kept(world: World, users: Users) -> None:
    """Have what was kept restored: whatever it was kept from, it must run."""
    kept = Instance.objects.filter(uuid__in=users.accepted, vm_state=states.SOFT_DELETED, deleted=False)
    for uuid in kept.values_list("uuid", flat=True):
        users.act(uuid, "restore")
        users.accepted[uuid] = frozenset({states.ACTIVE})
    world.run(_RESTORE_SECONDS, is_settled)


def broken_promises(users: Users, *, is_spoilt: bool) -> Iterator[str]:
    """Say of which servers something was accepted that did not come to be.

    Where something is spoilt anyway, it may have been just that; then the server says so.
    """
    for uuid, becomes in users.accepted.items():
        one = Instance.objects.filter(uuid=uuid).first()
        if is_spoilt and InstanceFault.objects.filter(instance_uuid=uuid, message__regex=_SAYS_SO).exists():
            continue
        if one is None or one.vm_state not in becomes:
            found = f"{one.vm_state}/{one.task_state}" if one else "nothing"
            yield f"server {uuid} should be {' or '.join(sorted(becomes))} and is {found}"


def bystanders(users: Users, undisturbed: list[str], state_of: Callable[[Instance], str]) -> Iterator[str]:
    """Say which other servers did not come out as they do undisturbed."""
    if not users.accepted:
        return
    others = Counter(state_of(one) for one in Instance.objects.filter(deleted=False).exclude(uuid__in=users.accepted))
    if others - Counter(undisturbed) or others.total() != max(len(undisturbed) - 1, 0):
        yield f"other servers came out as {dict(others)}, undisturbed {undisturbed}"
