"""`manage.py dry_run create|resize|migrate|drain`: where servers would go, or why not. Nothing is changed."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, Q

from cloud.compute.api.server_bodies import MOST_SERVERS
from cloud.compute.management import placement_lines
from cloud.compute.management.find_server import NOT_FOUND, find_server
from cloud.compute.management.operator import operator_context
from cloud.compute.management.step_tree import table
from cloud.compute.models import Flavor
from cloud.compute.services import dry_drains, dry_runs
from cloud.compute.services.dry_runs import DryRun
from cloud.compute.services.server_request import ServerRequest
from cloud.core.errors import CloudError
from cloud.identity.models import Project
from cloud.images.models import Image

_FAILS = 1
M = TypeVar("M", bound=Model)


class Command(BaseCommand):
    help = (
        "Say where servers would go, or why not. "
        "The exit status is 1 where one of them would find no host, 2 where the request would be refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="create|resize|migrate|drain")
        create = verbs.add_parser("create", help="new servers")
        create.add_argument("flavor", help="its name or id")
        create.add_argument("image", help="its name or id")
        create.add_argument("--count", type=int, default=1, metavar="N", help="how many (1)")
        create.add_argument("--project", default="admin", help="its name or id (admin)")
        create.add_argument("--zone", default="", help="availability zone; any if not given")
        resize = verbs.add_parser("resize", help="a server with another flavor")
        resize.add_argument("server", help="its id, the beginning of its id, or its name")
        resize.add_argument("flavor", help="its name or id")
        migrate = verbs.add_parser("migrate", help="a server on another host")
        migrate.add_argument("server", help="its id, the beginning of its id, or its name")
        migrate.add_argument("host", nargs="?", default="", help="any other if not given")
        verbs.add_parser("drain", help="every server of a host").add_argument("host")

    def handle(self, *, verb: str, **options: Any) -> str | None:
        try:
            run = _VERBS[verb](options)
        except CloudError as refusal:
            raise CommandError(refusal.message, returncode=NOT_FOUND) from refusal
        for line in _lines(run):
            self.stdout.write(line)
        if not run.would_succeed:
            raise SystemExit(_FAILS)
        return None


def _create(options: dict[str, Any]) -> DryRun:
    project = _find(Project, options["project"], "id")
    flavor = _find(Flavor, options["flavor"], "flavorid")
    count = options["count"]
    if not 1 <= count <= MOST_SERVERS:
        raise CommandError(f"--count is a number from 1 to {MOST_SERVERS}.", returncode=NOT_FOUND)
    request = ServerRequest(
        name="dry-run", flavor_id=flavor.flavorid, image_id=_find(Image, options["image"], "id").id, networks="none",
        availability_zone=options["zone"], min_count=count, max_count=count,
    )  # fmt: skip
    return dry_runs.create(operator_context(project.id), request)


def _resize(options: dict[str, Any]) -> DryRun:
    flavor = _find(Flavor, options["flavor"], "flavorid")
    return dry_runs.resize(operator_context(), find_server(options["server"]), flavor.flavorid)


def _migrate(options: dict[str, Any]) -> DryRun:
    return dry_runs.migrate(operator_context(), find_server(options["server"]), options["host"])


def _drain(options: dict[str, Any]) -> DryRun:
    return dry_drains.drain(operator_context(), options["host"])


_VERBS = {"create": _create, "resize": _resize, "migrate": _migrate, "drain": _drain}


def _find(kind: type[M], text: str, column: str) -> M:
    """Return the one row that has this id or name. Raises CommandError, with status 2."""
    rows = list(kind._default_manager.filter(Q(**{column: text}) | Q(name=text)).order_by(column)[:2])
    if len(rows) != 1:
        number = "more than one" if rows else "no"
        name = kind._meta.verbose_name
        raise CommandError(f"There is {number} {name} whose id or name is {text!r}.", returncode=NOT_FOUND)
    return rows[0]


def _lines(run: DryRun) -> Iterator[str]:
    if len(run.outlooks) == 1 and run.outlooks[0].explained is not None:
        yield from placement_lines.lines(run.outlooks[0].explained)
        return
    yield from _summary(run)
    if run.outlooks:
        yield from (f"  {line}" for line in table(*_table(run)))
    refused = next((one for one in run.outlooks if one.explained is not None and not one.is_placed), None)
    if refused is not None and refused.explained is not None:
        yield f"Why {refused.name} finds no host:"
        yield from (f"  {line}" for line in placement_lines.lines(refused.explained))


def _summary(run: DryRun) -> Iterator[str]:
    where = f" of {run.host}" if run.host else ""
    more = f"; {run.not_considered} more were not considered" if run.not_considered else ""
    yield f"{run.placed} of {len(run.outlooks)} servers{where} would find a host{more}"


def _table(run: DryRun) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return head and rows; servers that are not there yet have no ids."""
    is_there = any(one.server_id for one in run.outlooks)
    head = ("server", *(("id",) if is_there else ()), "would go to", "")
    return head, [
        (one.name, *((one.server_id,) if is_there else ()), one.host or "nowhere", one.reason) for one in run.outlooks
    ]
