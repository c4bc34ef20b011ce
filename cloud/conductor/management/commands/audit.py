"""`manage.py audit`: prints what breaks an invariant; nothing, and status 0, for a healthy cloud."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from cloud.conductor.audit.auditor import INVARIANTS, audit


class Command(BaseCommand):
    help = "Look for whatever breaks one of the invariants of a healthy cloud."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="name the invariants and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for number, check in INVARIANTS.items():
                self.stdout.write(f"{number}\t{(check.__doc__ or '').strip()}")
            return
        findings = audit()
        for finding in findings:
            self.stdout.write(str(finding))
        if findings:
            sys.exit(1)
