"""`manage.py simulate`: what the scheduler would make of a trace of servers, or with --what-if of other hosts.

The simulator belongs to the scheduler, which the cloud never imports, so it runs as a process of its own (ADR 60). What
it is to know of the live cloud is handed to it as a document; it changes nothing.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from django.core.management.base import BaseCommand

from cloud.compute.services.live_inventory import live_inventory

_WHAT_IF, _CONDUCTOR, _HELP = "--what-if", "--conductor", {"-h", "--help"}


class Command(BaseCommand):
    help = "Replay a trace of servers on fake hosts, or ask what if, with the scheduler's own decisions (--help)."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand all options on as they are, and end with the simulator's exit status."""
        self.handle(*argv[2:])

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the simulator with these options."""
        if _HELP & set(args):
            sys.exit(_simulate(args, b""))
        if _CONDUCTOR in args:
            sys.exit(_simulate_with_claims(args))
        sys.exit(_simulate(args, msgspec.json.encode(live_inventory()) if _WHAT_IF in args else b""))


def _simulate(arguments: Sequence[str], document: bytes) -> int:
    command = [sys.executable, "-m", "scheduler.simulation", *arguments]
    return subprocess.run(command, input=document, check=False).returncode


def _simulate_with_claims(arguments: Sequence[str]) -> int:
    """Start over with a database of our own, and without the Redis in which schedulers would hear of fake hosts."""
    with TemporaryDirectory(prefix="novella-simulation-") as folder:
        scratch = {
            "NOVELLA_STATE_DIR": folder,
            "DATABASE_URL": f"sqlite://{folder}/simulation.sqlite3",
            "NOVELLA_SIMULATION_DATABASE": f"{folder}/simulation.sqlite3",
            "REDIS_URL": f"unix://{folder}/nobody.sock",
            "NOVELLA_LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, sys.argv[0], "simulate_claims", *arguments]
        return subprocess.run(command, env={**os.environ, **scratch}, check=False).returncode
