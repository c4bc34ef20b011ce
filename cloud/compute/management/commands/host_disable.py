"""`manage.py host_disable NAME --reason TEXT`."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.management.change_host import change_host

_MOST_CHARACTERS = 255


class Command(BaseCommand):
    help = "Keep new servers away from a compute host; those on it run on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("host", help="its name, as cloud_status shows it")
        parser.add_argument("--reason", default="", help="why, for whoever looks next")

    def handle(self, *, host: str, reason: str, **options: object) -> None:
        if not reason.isprintable() or len(reason) > _MOST_CHARACTERS:
            raise CommandError(f"A reason is one printable line of at most {_MOST_CHARACTERS} characters.")
        change_host(host, disabled=True, disabled_reason=reason or None)
        self.stdout.write(f"{host} is disabled; its servers run on.")
