"""`manage.py in_turn 'COMMAND ...' ...`: several commands by one process, which loads everything once."""

import shlex
from typing import Any

from django.core.management import BaseCommand, CommandParser, call_command


class Command(BaseCommand):
    """Carries out commands one after the other; the first that fails ends it."""

    help = "carry out several commands, each given as one word, e.g. 'migrate --no-input'"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("lines", nargs="+", metavar="COMMAND")

    def handle(self, *_: Any, lines: list[str], **__: Any) -> None:
        """Carry them out."""
        for line in lines:
            self.stdout.write(f"== {line}")
            call_command(*shlex.split(line))
