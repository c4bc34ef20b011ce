"""`manage.py simulate`: what the scheduler would make of a trace of servers on fake hosts. It touches no database.

The simulator belongs to the scheduler, which the cloud never imports, so it runs as a process of its own (ADR 60).
"""

import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Replay a trace of servers on fake hosts with the scheduler's own decisions (--help for its options)."

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand all options on as they are, and end with the simulator's exit status."""
        self.handle(*argv[2:])

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the simulator with these options."""
        sys.exit(subprocess.run([sys.executable, "-m", "scheduler.simulation", *args], check=False).returncode)
