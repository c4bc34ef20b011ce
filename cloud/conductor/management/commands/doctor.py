"""`manage.py doctor server ID|NAME`, `doctor host NAME`: what should be, what is, and what mends each difference."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.management.find_server import find_server
from cloud.compute.management.step_tree import table
from cloud.compute.models import Instance
from cloud.conductor.doctor.asking import servers_of
from cloud.conductor.doctor.checks import Check, Verdict
from cloud.conductor.doctor.examination import examine

_HEAD = ("part", "expected", "found", "verdict", "command that mends")
_WIDEST = 72


class Command(BaseCommand):
    help = "Compare what the books say of a server with itself and with its host. Status 1 where something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["server", "host"], help="one server, or every server that a host has")
        parser.add_argument("name", help="the server's id, the beginning of its id, or its name; the host's name")
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *, kind: str, name: str, format: str, **options: object) -> None:
        patients = servers_of(name) if kind == "host" else [find_server(name)]
        if patients is None:
            raise CommandError(f"There is no host {name!r}.", returncode=2)
        reports = [(one, examine(one)) for one in patients]
        if format == "json":
            documents = [{"server": one.uuid, "checks": [asdict(check) for check in checks]} for one, checks in reports]
            self.stdout.write(json.dumps(documents[0] if kind == "server" else documents, indent=1))
        else:
            self._print(reports, is_whole=kind == "server")
        if any(_wrong(checks) for _, checks in reports):
            sys.exit(1)

    def _print(self, reports: list[tuple[Instance, list[Check]]], *, is_whole: bool) -> None:
        """Print servers one below the other: of one the whole, of many what is wrong."""
        for instance, checks in reports:
            shown = checks if is_whole else _wrong(checks)
            if shown:
                self.stdout.write(f"{instance.display_name or 'unknown'}  {instance.uuid}")
            rows = [(one.part, _short(one.expected), _short(one.found), one.verdict, one.command) for one in shown]
            for line in table(_HEAD, rows) if rows else ():
                self.stdout.write(f"  {line}")
        findings = sum(len(_wrong(checks)) for _, checks in reports)
        where = "" if is_whole else f" with {_count(len(reports), 'server')}"
        self.stdout.write(f"{_count(findings, 'finding')}{where}" if findings else f"All is well{where}.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _wrong(checks: list[Check]) -> list[Check]:
    return [one for one in checks if one.verdict == Verdict.WRONG]


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
