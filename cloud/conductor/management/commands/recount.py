"""`manage.py recount project ID`, `recount host NAME`: sets what is counted to what there is."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.selectors.holdings import COUNTED, holders_that_are_not
from cloud.compute.services.books import recount_host, recount_project
from cloud.identity.models import Project
from cloud.identity.services import quotas
from cloud.placement.models import ResourceProvider


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
    changed = [f"{name} from {was} to {has}" for name, (was, has) in recount_project(project_id).items()]
    return f"Corrected {', '.join(changed)}." if changed else "The quota was right."


def _host(name: str) -> str:
    if not ResourceProvider.objects.filter(name=name).exists():
        raise CommandError(f"There is no host {name!r}.", returncode=2)
    nobodys = holders_that_are_not(name)
    if not recount_host(name, nobodys):
        return "The books were right."
    gone = f" {len(nobodys)} held it that are not there any more." if nobodys else ""
    return f"Corrected what is booked of {name}.{gone}"
