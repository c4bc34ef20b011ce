"""`manage.py accept_database`: after a restore, lets what the database does not know of be removed from hosts again."""

from django.core.management.base import BaseCommand

from cloud.conductor import telling_networks
from cloud.conductor.reconcile import restored


class Command(BaseCommand):
    help = "Accept a database that is older than it was: the reconcilers remove again what it says is dead."

    def handle(self, **options: object) -> None:
        restored.accept()
        telling_networks.tell_all()
        self.stdout.write("Accepted.")
