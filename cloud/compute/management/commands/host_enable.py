"""`manage.py host_enable NAME`."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from cloud.compute.management.change_host import change_host


class Command(BaseCommand):
    help = "Let the scheduler place servers on a compute host again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("host", help="its name, as cloud_status shows it")

    def handle(self, *, host: str, **options: object) -> None:
        change_host(host, disabled=False, disabled_reason=None)
        self.stdout.write(f"{host} is enabled.")
