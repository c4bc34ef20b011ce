"""`manage.py audit`: prints what breaks an invariant, and what mends it; nothing, and status 0, for a healthy cloud."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from cloud.conductor.audit.auditor import INVARIANTS, audit
from cloud.conductor.audit.findings import Finding


class Command(BaseCommand):
    help = "Look for whatever breaks one of the invariants of a healthy cloud."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="store_true", help="name the invariants and end")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["list"]:
            for number, check in INVARIANTS.items():
                self.stdout.write(f"{number}\t{(check.__doc__ or '').strip()}")
            return
        findings = audit()
        if options["format"] == "json":
            self.stdout.write(json.dumps([_document(finding) for finding in findings], indent=1))
        else:
            for finding in findings:
                self.stdout.write(f"{finding}\n    {finding.command}")
        if findings:
            sys.exit(1)


def _document(finding: Finding) -> dict[str, str]:
    promise = (INVARIANTS[finding.invariant].__doc__ or "").strip()
    return {**asdict(finding), "promise": promise}
