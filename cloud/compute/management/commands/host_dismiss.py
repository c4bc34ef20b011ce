"""`manage.py host_dismiss NAME`."""

from argparse import ArgumentParser

import redis
from django.core.management.base import BaseCommand, CommandError

from cloud.compute.services import host_credentials
from cloud.core.errors import CloudError


class Command(BaseCommand):
    help = "End the credential of an agent at once. Servers on its hosts run on, and nobody can tell them anything."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="as it was enrolled")

    def handle(self, *, name: str, **options: object) -> None:
        try:
            host_credentials.dismiss(name)
        except CloudError as refusal:
            raise CommandError(refusal.message) from refusal
        except redis.RedisError as error:
            raise CommandError(
                f"{name} is not believed any more. Redis did not end its user now ({error}); a conductor will."
            ) from error
        self.stdout.write(f"{name} is dismissed.")
