"""What an operator may do to servers: the same services as the API, so the same table of states and sentences."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cloud.compute.models import Instance
from cloud.compute.services import power
from cloud.compute.services.delete_server import delete, force_delete
from cloud.compute.services.restore_server import restore
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.core.errors import CloudError


@dataclass(frozen=True)
class Verb:
    """A row of the table below.

    Attributes:
        event: of the table of transitions.
        run: begins it; returns False where that is not needed.
        done: what is said of a server for which it has begun.
        is_grave: whether it cannot be taken back.
    """

    title: str
    event: str
    run: Callable[[RequestContext, Instance], object]
    done: str
    is_grave: bool = False


VERBS: dict[str, Verb] = {
    "start": Verb("Start", "start", power.start, "is starting"),
    "stop": Verb("Stop", "stop", power.stop, "is stopping"),
    "reboot_soft": Verb("Reboot", "reboot", lambda context, one: power.reboot(context, one, hard=False),
                        "is rebooting"),
    "reboot_hard": Verb("Reboot hard", "reboot_hard", lambda context, one: power.reboot(context, one, hard=True),
                        "is rebooting hard"),
    "restore": Verb("Restore", "restore", restore, "is being restored"),
    "delete": Verb("Delete", "delete", delete, "is being deleted", is_grave=True),
    "force_delete": Verb("Delete at once", "delete", force_delete, "is being deleted for good", is_grave=True),
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What became of one server: `refusal` is empty where it began."""

    name: str
    sentence: str
    refusal: str = ""


def carry_out(verb: Verb, context: RequestContext, instances: Iterable[Instance]) -> list[Result]:
    """Carry a verb out on each server; what one refuses does not keep it from the next."""
    return [_carry_out(verb, context, one) for one in instances]


def _carry_out(verb: Verb, context: RequestContext, instance: Instance) -> Result:
    name = instance.display_name
    if instance.deleted:
        return Result(name, "", f"Server {name}: it is deleted already.")
    try:
        is_begun = verb.run(context, instance) is not False
    except CloudError as refusal:
        return Result(name, "", f"Server {name}: {refusal.message}")
    if not is_begun:
        return Result(name, "", f"Server {name}: it is deleted already, or is about to be.")
    return Result(name, f"Server {name} {verb.done}.")


def refusal_of(verb: Verb, instance: Instance) -> str:
    """Return why a verb would be refused now, by the table of states; empty if it would not."""
    if instance.deleted:
        return "It is deleted already."
    if machine.allows(verb.event, instance.vm_state, instance.task_state):
        return ""
    return power.conflict(instance, verb.event, verb.title.lower()).message
