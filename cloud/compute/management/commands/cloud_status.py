"""`manage.py cloud_status`: hosts, servers and work under way, in one screen."""

from argparse import ArgumentParser
from datetime import datetime

from django.core.management.base import BaseCommand

from cloud.compute.management.step_tree import table
from cloud.compute.selectors import overview
from cloud.compute.selectors.overview import Amount, HostLine
from cloud.core.clock import database_now
from cloud.core.presentation import duration


class Command(BaseCommand):
    help = "Show each host with its servers and what of it is held, servers by status, and the work under way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--hosts", type=int, default=40, metavar="N", help="show at most N hosts (40)")

    def handle(self, *, hosts: int, **options: object) -> None:
        now = database_now()
        for line in [*_hosts(overview.hosts(), max(hosts, 0)), *_servers(), *_work(now), *_failures(now)]:
            self.stdout.write(line)


def _hosts(lines: list[HostLine], most: int) -> list[str]:
    up = sum(one.service.is_up for one in lines)
    disabled = sum(one.service.disabled for one in lines)
    said = [f"Hosts: {len(lines)}; {up} up, {len(lines) - up} down, {disabled} disabled"]
    if lines and most:
        head = ("host", "state", "servers", "vCPUs", "memory GB", "disk GB", "")
        rows = [_host(one) for one in lines[:most]]
        said += [f"  {line}" for line in table(head, rows, "llrrrr")]
    if len(lines) > most:
        said.append(f"  … and {len(lines) - most} more")
    return said


def _host(one: HostLine) -> tuple[object, ...]:
    return (one.name, one.service.state, one.servers, _amount(one.vcpus), _amount(one.memory_mb, 1024),
            _amount(one.disk_gb), "; ".join(one.notes))


def _amount(amount: Amount, unit: int = 1) -> str:
    return f"{amount.used / unit:.4g}/{amount.capacity / unit:.4g}"


def _servers() -> list[str]:
    counts = overview.servers_by_status()
    words = ", ".join(f"{count} {status}" for status, count in counts.items())
    return [f"Servers: {sum(counts.values())}{'; ' if counts else ''}{words}"]


def _work(now: datetime) -> list[str]:
    running = overview.running_operations()
    since = f", the oldest for {_ago(running.oldest, now)}" if running.oldest else ""
    said = [f"Operations under way: {running.count}{since}"]
    transient = overview.oldest_transient()
    if transient:
        said.append(f"Longest in transit: {transient.name} ({transient.uuid}), {transient.task_state} for "
                    f"{_ago(transient.since, now)}")
    return said


def _failures(now: datetime) -> list[str]:
    failures = overview.recent_failures(5)
    head = ["Last failures:"] if failures else []
    return head + [
        f"  {_ago(one.finished_at, now)} ago  {one.action} {one.server}  {one.code}: {one.detail or one.message}"
        for one in failures
    ]


def _ago(since: datetime, now: datetime) -> str:
    return duration((now - since).total_seconds())
