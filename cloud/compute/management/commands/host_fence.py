"""`manage.py host_fence NAME --by WHO`: say that a machine is off, so that its servers may be evacuated."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.management.change_host import change_host


class Command(BaseCommand):
    help = "Record your word that a host's machine is off: the proof without which no server is evacuated from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("host", help="its name, as cloud_status shows it")
        parser.add_argument("--by", required=True, help="whose word it is")

    def handle(self, *, host: str, by: str, **options: object) -> None:
        if not by.strip() or not by.isprintable():
            raise CommandError("A name is one printable line.")
        change_host(host, forced_down=True, said_by=by.strip())
        self.stdout.write(f"{host} is off, says {by.strip()}; its servers may be evacuated as long as nobody hears it.")
