"""`manage.py host_unfence NAME`: let a host that was off be up again."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.selectors.services import COMPUTE
from cloud.compute.services.host_services import change_service
from cloud.core.errors import CloudError


class Command(BaseCommand):
    help = "Let a host be up again, once it has removed what was evacuated from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("host", help="its name, as cloud_status shows it")

    def handle(self, *, host: str, **options: object) -> None:
        try:
            change_service(host, COMPUTE, forced_down=False)
        except CloudError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{host} is up as soon as it reports.")
