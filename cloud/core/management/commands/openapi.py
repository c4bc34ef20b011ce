"""`manage.py openapi`: print the OpenAPI document."""

import json

from django.core.management.base import BaseCommand

from cloud.core.openapi import document


class Command(BaseCommand):
    help = "Print the OpenAPI document of every API that the cloud serves."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(json.dumps(document("Novella", "1"), indent=1, sort_keys=True))
