"""`manage.py states`: the state machine of servers as a page of Markdown, from the table that the code obeys."""

from collections.abc import Iterable

from django.core.management.base import BaseCommand

from cloud.compute import states
from cloud.core.states import KEEP


class Command(BaseCommand):
    help = "Print docs/states.md: every transition of a server's states."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(page(), ending="")


def page() -> str:
    """Return the page."""
    lines = [
        "# States of a server", "",
        "Made by `python manage.py states > docs/states.md` from `cloud/compute/states.py`; a test compares the two.",
        "",
        "| event | vm state before | task state before | vm state after | task state after |", "|---|---|---|---|---|",
    ]
    for row in states.machine.transitions:
        after = "as before" if row.vm_to == KEEP else row.vm_to
        cells = (row.event, _words(row.vm_from, states.LIVE), _words(row.task_from, states.TASK_STATES), after,
                 row.task_to or "none")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _words(found: Iterable[str], everything: frozenset[str]) -> str:
    names = sorted(found)
    if frozenset(names) == everything:
        return "any"
    return ", ".join(name or "none" for name in names)
