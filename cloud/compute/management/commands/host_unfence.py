"""`manage.py host_unfence NAME`: let a host that was off be up again."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from cloud.compute.management.change_host import change_host


class Command(BaseCommand):
    help = "Let a host be up again, once it has removed what was evacuated from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("host", help="its name, as cloud_status shows it")

    def handle(self, *, host: str, **options: object) -> None:
        change_host(host, forced_down=False)
        self.stdout.write(f"{host} is up as soon as it reports.")
