"""`manage.py doctor server ID|NAME`: what should be, what is, and the command that mends each difference."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand

from cloud.compute.management.find_server import find_server
from cloud.compute.management.step_tree import table
from cloud.conductor.doctor.checks import Check, Verdict
from cloud.conductor.doctor.examination import examine

_HEAD = ("part", "expected", "found", "verdict", "command that mends")
_WIDEST = 72


class Command(BaseCommand):
    help = "Compare what the books say of a server with itself and with its host. Status 1 where something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["server"], help="what is to be looked at")
        parser.add_argument("name", help="its id, the beginning of its id, or its name")
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *, name: str, format: str, **options: object) -> None:
        instance = find_server(name)
        checks = examine(instance)
        findings = [one for one in checks if one.verdict == Verdict.WRONG]
        if format == "json":
            report = {"server": instance.uuid, "checks": [asdict(one) for one in checks]}
            self.stdout.write(json.dumps(report, indent=1))
        else:
            self._print(f"{instance.display_name}  {instance.uuid}", checks, len(findings))
        if findings:
            sys.exit(1)

    def _print(self, title: str, checks: list[Check], findings: int) -> None:
        self.stdout.write(title)
        rows = [(one.part, _short(one.expected), _short(one.found), one.verdict, one.command) for one in checks]
        for line in table(_HEAD, rows):
            self.stdout.write(f"  {line}")
        self.stdout.write(f"{findings} finding{'' if findings == 1 else 's'}" if findings else "All is well.")


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
