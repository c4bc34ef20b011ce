"""`manage.py simulate`: what the scheduler would make of a trace of servers, or with --what-if of other hosts.

The simulator belongs to the scheduler, which the cloud never imports, so it runs as a process of its own (ADR 60). What
it is to know of the live cloud is handed to it as a document; it changes nothing.
"""

import subprocess
import sys
from typing import Any

import msgspec
from django.core.management.base import BaseCommand

from cloud.compute.services.live_inventory import live_inventory

_WHAT_IF, _HELP = "--what-if", {"-h", "--help"}


class Command(BaseCommand):
    help = "Replay a trace of servers on fake hosts, or ask what if, with the scheduler's own decisions (--help)."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand all options on as they are, and end with the simulator's exit status."""
        self.handle(*argv[2:])

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the simulator with these options."""
        document = b""
        if _WHAT_IF in args and not _HELP & set(args):
            document = msgspec.json.encode(live_inventory())
        command = [sys.executable, "-m", "scheduler.simulation", *args]
        sys.exit(subprocess.run(command, input=document, check=False).returncode)
