"""`manage.py recount project ID`, `recount host NAME`: sets what is counted to what there is."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from cloud.compute.selectors.holdings import COUNTED, holders_that_are_not, holdings
from cloud.compute.services import host_feed
from cloud.identity.models import Project
from cloud.identity.services import quotas
from cloud.placement.models import ResourceProvider
from cloud.placement.services import claims
from cloud.placement.services.recount import recount


class Command(BaseCommand):
    help = "Set the quota of a project to what it has, or what is booked of a host to what is held of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["project", "host"])
        parser.add_argument("name", help="the project's id, or the host's name")

    def handle(self, *, kind: str, name: str, **options: object) -> None:
        text = _project(name) if kind == "project" else _host(name)
        self.stdout.write(text)


def _project(project_id: str) -> str:
    before = quotas.usages(project_id, COUNTED)
    if not any(before.values()) and not Project.objects.filter(pk=project_id).exists():
        raise CommandError(f"There is no project {project_id!r}.", returncode=2)
    with transaction.atomic():
        has = holdings(project_id)
        counted = {name: has[project_id, name] for name in COUNTED}
        quotas.correct(project_id, counted)
    changed = [f"{name} from {before[name]} to {counted[name]}" for name in COUNTED if before[name] != counted[name]]
    return f"Corrected {', '.join(changed)}." if changed else "The quota was right."


def _host(name: str) -> str:
    if not ResourceProvider.objects.filter(name=name).exists():
        raise CommandError(f"There is no host {name!r}.", returncode=2)
    with transaction.atomic():
        nobodys = holders_that_are_not(name)
        changed = sorted({*claims.release(nobodys), *recount([name])})
        host_feed.publish(changed)
    gone = f" {len(nobodys)} held it that are not there any more." if nobodys else ""
    return f"Corrected what is booked of {name}.{gone}" if changed else "The books were right."
