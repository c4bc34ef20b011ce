"""`manage.py simulate_claims`: what `simulate --conductor` starts beside a database of its own."""

import os
import socket
import subprocess
import sys
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from cloud.compute.management.claims_desk import make_hosts, settle
from contracts.simulated import FakeHosts, Round


class Command(BaseCommand):
    help = "For `simulate --conductor` alone: run a simulation whose claims are made in this database."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand all options on as they are, and end with the simulator's exit status."""
        self.handle(*argv[2:])

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the simulator with these options."""
        if str(settings.DATABASES["default"]["NAME"]) != os.environ.get("NOVELLA_SIMULATION_DATABASE"):
            sys.exit("simulate_claims: for `manage.py simulate --conductor`, which makes a database of its own")
        call_command("migrate", verbosity=0, interactive=False)
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "scheduler.simulation", *args]
        with subprocess.Popen(command, stdin=theirs) as simulator, ours:
            theirs.close()
            _serve(ours)
        sys.exit(simulator.returncode)


def _serve(ours: socket.socket) -> None:
    with ours.makefile("rwb") as lines:
        for line in lines:
            lines.write(answer(line) + b"\n")
            lines.flush()


def answer(line: bytes) -> bytes:
    """Return the answer to a line, without its end."""
    asked = msgspec.json.decode(line)
    if "count" in asked:
        return msgspec.json.encode(make_hosts(FakeHosts.from_wire(asked)))
    return msgspec.json.encode(settle(Round.from_wire(asked)))
