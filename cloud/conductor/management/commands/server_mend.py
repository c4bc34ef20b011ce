"""`manage.py server_mend ID|NAME WHAT`: carries out what `manage.py doctor` names."""

import re
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.management.find_server import find_server
from cloud.compute.models import ComputeNode, Instance, Operation
from cloud.compute.models.operations import OperationState
from cloud.conductor.doctor.asking import unknown
from cloud.conductor.doctor.mendings import MENDINGS
from cloud.core.errors import CloudError

_LOOK_SECONDS = 0.2
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What a host may have of a server that the books do not know; its whole id and the host must be named.
_OF_UNKNOWN = frozenset({"sweep", "drop-aside"})


class Command(BaseCommand):
    help = "Mend one difference of a server."

    def create_parser(self, *args: Any, **options: Any) -> Any:
        verbs = "\n".join(f"  {name:<12}{one.promise}" for name, one in MENDINGS.items())
        return super().create_parser(
            *args, epilog=f"what:\n{verbs}", formatter_class=RawDescriptionHelpFormatter, **options
        )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("server", help="its id, the beginning of its id, or its name")
        parser.add_argument("what", choices=MENDINGS, metavar="WHAT", help="see below")
        parser.add_argument("--host", default="", help="where, for `sweep` and `drop-aside`")
        parser.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="for the operation (60)")

    def handle(self, *, server: str, what: str, host: str, wait: float, **options: object) -> None:
        if host and not ComputeNode.objects.filter(host=host).exists():
            raise CommandError(f"There is no host {host!r}.", returncode=2)
        instance = unknown(server) if what in _OF_UNKNOWN and host and _is_unknown(server) else find_server(server)
        try:
            said = MENDINGS[what].carry_out(instance, host)
        except CloudError as error:
            raise CommandError(error.message) from error
        self.stdout.write(said or _outcome(instance, wait))


def _is_unknown(text: str) -> bool:
    return _UUID.fullmatch(text) is not None and not Instance.objects.filter(uuid=text).exists()


def _outcome(instance: Instance, seconds: float) -> str:
    """Wait for the operation that the verb began, if it did."""
    end = time.monotonic() + seconds
    rows = Operation.objects.filter(instance_uuid=instance.uuid).order_by("-started_at")
    while rows.filter(state=OperationState.RUNNING).exists():
        if time.monotonic() >= end:
            return "It is under way; see `manage.py server_show`."
        time.sleep(_LOOK_SECONDS)
    last = rows.first()
    if last is not None and last.state == OperationState.FAILED:
        return f"Done; its last operation is {last.action}, which failed: {last.detail or last.message}"
    return "Done."
