"""`manage.py host_networks NAME`: how far a host is with its networks; tells it again what they shall be."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.models import ComputeNode
from cloud.networks.models import HostNetworkState
from cloud.networks.services import changes


class Command(BaseCommand):
    help = "Show how far a compute host is with its networks, and tell it anew what they shall be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("host", help="its name, as cloud_status shows it")

    def handle(self, *, host: str, **options: object) -> None:
        if not ComputeNode.objects.filter(host=host).exists():
            raise CommandError(f"There is no compute host {host}.")
        state = HostNetworkState.objects.filter(host=host).first() or HostNetworkState(host=host)
        self.stdout.write(state.summary)
        changes.note([changes.of_host(host)])
        self.stdout.write(f"{host} is told again.")
