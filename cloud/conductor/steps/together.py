"""Operations that come to the same step at the same moment go on in one transaction; each alone where one cannot."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from django.db import connection

from cloud.compute.models import Instance, Operation
from cloud.core.kept import Kept
from cloud.core.together import Together

_locked: Kept[str] = Kept(
    lambda uuids: (
        Instance.objects.filter(uuid__in=uuids).select_for_update().order_by("uuid").values_list("uuid", flat=True)
    )
)


class InGroups:
    """Moves operations on, each with those that other threads ask for at that moment.

    Args:
        move: moves operations of one attempt on in a transaction of its own, all of them, or changes nothing and
            returns False. Its other arguments are those that the operations came with.
    """

    def __init__(self, move: Callable[..., bool]) -> None:
        self._move = move
        self._together = Together(self._move_all)

    def __call__(self, operation: Operation, *alike: Hashable) -> None:
        """Return when the operation has gone on or cannot; in a group are those that came with the same values."""
        if operation.begun:
            self._move([operation], *alike)  # something died of it before, and shall take nobody else along
        else:
            self._together((operation, alike))

    def _move_all(self, asked: Sequence[tuple[Operation, tuple[Hashable, ...]]]) -> None:
        groups: dict[tuple[int, tuple[Hashable, ...]], list[Operation]] = defaultdict(list)
        for operation, alike in asked:
            groups[operation.attempt, alike].append(operation)
        for (_, alike), group in groups.items():
            if not self._move(group, *alike) and len(group) > 1:
                for one in group:
                    self._move([one], *alike)


def lock_in_order(operations: Sequence[Operation]) -> None:
    """Lock the servers of a group, so that no two groups that meet wait for each other. One alone needs no order."""
    if len(operations) > 1 and connection.features.has_select_for_update:
        _locked(uuids=[one.instance_uuid for one in operations])
