"""`manage.py doctor server ID|NAME`, `host NAME`, `port ID`: what should be, what is, what mends each difference."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict, dataclass

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.management.find_server import find_server
from cloud.compute.management.step_tree import table
from cloud.conductor.doctor import port as of_port
from cloud.conductor.doctor.asking import servers_of
from cloud.conductor.doctor.checks import Check, Verdict
from cloud.conductor.doctor.examination import examine
from cloud.conductor.management.find_port import find_port

_HEAD = ("part", "expected", "found", "verdict", "command that mends")
_WIDEST = 72
_KINDS = {
    "server": "one server, by its id, the beginning of its id, or its name",
    "host": "every server that a host has",
    "port": "one port, by its id, the beginning of its id, its name, its MAC or one of its addresses",
}


@dataclass(frozen=True)
class _Report:
    """What was looked at, and what it came to."""

    id: str
    name: str
    checks: list[Check]

    @property
    def wrong(self) -> list[Check]:
        return [one for one in self.checks if one.verdict == Verdict.WRONG]


class Command(BaseCommand):
    help = "Compare what the books say with themselves and with the hosts. Status 1 where something is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=list(_KINDS), help="; ".join(f"{one}: {it}" for one, it in _KINDS.items()))
        parser.add_argument("name", help="which one")
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *, kind: str, name: str, format: str, **options: object) -> None:
        reports = _on_host(name) if kind == "host" else [_of_port(name) if kind == "port" else _of_server(name)]
        if format == "json":
            subject = "port" if kind == "port" else "server"
            documents = [{subject: one.id, "checks": [asdict(check) for check in one.checks]} for one in reports]
            self.stdout.write(json.dumps(documents if kind == "host" else documents[0], indent=1))
        else:
            self._print(reports, is_whole=kind != "host")
        if any(one.wrong for one in reports):
            sys.exit(1)

    def _print(self, reports: list[_Report], *, is_whole: bool) -> None:
        """Print reports one below the other: of one the whole, of many what is wrong."""
        for report in reports:
            shown = report.checks if is_whole else report.wrong
            if shown:
                self.stdout.write(f"{report.name or 'unknown'}  {report.id}")
            rows = [(one.part, _short(one.expected), _short(one.found), one.verdict, one.command) for one in shown]
            for line in table(_HEAD, rows) if rows else ():
                self.stdout.write(f"  {line}")
        findings = sum(len(one.wrong) for one in reports)
        where = "" if is_whole else f" with {_count(len(reports), 'server')}"
        self.stdout.write(f"{_count(findings, 'finding')}{where}" if findings else f"All is well{where}.")


def _of_server(name: str) -> _Report:
    instance = find_server(name)
    return _Report(instance.uuid, instance.display_name, examine(instance))


def _of_port(name: str) -> _Report:
    port = find_port(name)
    return _Report(port.id, port.name or "port", of_port.examine(port))


def _on_host(name: str) -> list[_Report]:
    instances = servers_of(name)
    if instances is None:
        raise CommandError(f"There is no host {name!r}.", returncode=2)
    return [_Report(one.uuid, one.display_name, examine(one)) for one in instances]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
