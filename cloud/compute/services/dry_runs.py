"""Dry runs: what a request would do, found out by doing it, asking the scheduler what it would be asked, and undoing.

The rows are written and rolled back in one transaction: whatever would refuse the request refuses the dry run in the
same words, and nobody else ever sees them. The scheduler is asked afterwards, and promises nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import transaction

from cloud.compute import reasons
from cloud.compute.models import Flavor, Instance
from cloud.compute.reasons import Decision
from cloud.compute.services import create_servers, move_server
from cloud.compute.services.considering import Alike, Consideration
from cloud.compute.services.fitting_flavors import Wish, fitting
from cloud.compute.services.placement_reports import Explained
from cloud.compute.services.server_request import ServerRequest
from cloud.core import rpc
from cloud.core.context import RequestContext
from cloud.images.models import Image
from contracts.scheduling import Room, SelectDestinations

T = TypeVar("T")


@dataclass(frozen=True)
class Outlook:
    """What would become of one server.

    Attributes:
        server_id: empty for one that is not there yet.
        explained: where it would go, or why nowhere; None where it is refused before a scheduler is asked.
        refusal: why it is refused.
    """

    name: str
    server_id: str = ""
    explained: Explained | None = None
    refusal: str = ""

    @property
    def is_placed(self) -> bool:
        """Whether it would find a host."""
        return self.explained is not None and self.explained.decision.is_placed

    @property
    def host(self) -> str:
        """Where it would go; empty for nowhere."""
        return self.explained.decision.candidates[0].host if self.explained and self.is_placed else ""

    @property
    def reason(self) -> str:
        """Why it would go nowhere, for its owner."""
        if self.is_placed or self.explained is None:
            return self.refusal
        return reasons.explain(self.explained.decision)


@dataclass(frozen=True)
class DryRun:
    """What a request would do.

    Attributes:
        not_considered: how many servers there are beyond those that were looked at.
        host: that a move was to, or that was to be drained.
    """

    action: str
    outlooks: Sequence[Outlook]
    not_considered: int = 0
    host: str = ""

    @property
    def placed(self) -> int:
        """How many servers would find a host."""
        return sum(one.is_placed for one in self.outlooks)

    @property
    def would_succeed(self) -> bool:
        """Whether all of them would."""
        return self.placed == len(self.outlooks) and not self.not_considered


def create(context: RequestContext, request: ServerRequest) -> DryRun:
    """Say where the servers of a create request would go. Raises what `create_servers.create` does."""
    made, asked = _rehearse(lambda: create_servers.create(context, request))
    names = [one.display_name for one in made]
    return DryRun("create", _outlooks(context, asked, names, _wish(made[0], asked)))


def resize(context: RequestContext, instance: Instance, flavor_id: str) -> DryRun:
    """Say where a server would go with another flavor. Raises what `move_server.resize` does."""
    _, asked = _rehearse(lambda: move_server.resize(context, instance, flavor_id))
    wish = _wish(instance, asked, least_disk_gb=instance.flavor.get("disk_gb", 0))
    return DryRun("resize", _outlooks(context, asked, [instance.display_name], wish, instance.uuid))


def migrate(context: RequestContext, instance: Instance, host: str = "") -> DryRun:
    """Say where a server would go from its host. Raises what `move_server.migrate` does."""
    _, asked = _rehearse(lambda: move_server.migrate(context, instance, host))
    return DryRun("migrate", _outlooks(context, asked, [instance.display_name], None, instance.uuid), host=host)


def _rehearse(begin: Callable[[], T]) -> tuple[T, list[SelectDestinations]]:
    """Do what a request does, find out what the scheduler would be asked, and undo it all."""
    with transaction.atomic():
        with rpc.rehearsing() as launched:
            result = begin()
        asked = [one for name, operation_ids in launched for one in rpc.questions(name, operation_ids)]
        transaction.set_rollback(True)
    return result, asked


def _wish(instance: Instance, asked: Sequence[SelectDestinations], least_disk_gb: int = 0) -> Wish:
    image = Image.objects.filter(id=instance.image_ref).first() if instance.image_ref else None
    return Wish(asked[0].spec.required_traits if asked else (), image, least_disk_gb)


def _outlooks(
    context: RequestContext, asked: Sequence[SelectDestinations], names: Sequence[str], wish: Wish | None,
    server_id: str = "",
) -> list[Outlook]:  # fmt: skip
    sets = [
        Alike(one.operation_ids, one.spec, one.alternates, "theirs" if one.spec.group_policy else "") for one in asked
    ]
    decisions = Consideration(context.request_id).decide(sets).values()
    explain = _explainer(context, wish)
    return [Outlook(name, server_id, explain(one)) for name, one in zip(names, decisions, strict=True)]


def _explainer(context: RequestContext, wish: Wish | None) -> Callable[[Decision], Explained]:
    """Return what adds the flavors that would have fitted; servers that were refused alike share one look at them."""
    known: dict[tuple[Room, ...], Sequence[Flavor]] = {}

    def explain(decision: Decision) -> Explained:
        room = tuple(decision.room)
        if wish is not None and room not in known:
            known[room] = fitting(context, room, wish)
        return Explained(decision, known.get(room, ()))

    return explain
