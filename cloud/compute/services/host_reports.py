"""What hosts say of themselves, believed as far as it can be true."""

import hashlib
import logging
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import transaction

from cloud.compute.models import ComputeNode, Operation
from cloud.compute.services import host_rows, report_faults, row_locks
from cloud.compute.services.heartbeats import heartbeats
from cloud.core.each import update_each
from contracts.conductor import HostReport, Residue
from contracts.signing import SIGNATURE

_log = logging.getLogger(__name__)

_RESTLESS_SECONDS, _WHOLE_SECONDS = 60.0, 600.0


class _Written:
    """What this process last wrote of a host, so that a report that says nothing new costs next to nothing."""

    def __init__(self, digest: bytes, reported_at: float, whole_at: float) -> None:
        self.digest = digest
        self.reported_at = reported_at
        self.whole_at = whole_at
        self.at = time.monotonic()

    def covers(self, digest: bytes) -> bool:
        return self.digest == digest and time.monotonic() - self.at < _RESTLESS_SECONDS

    def is_still(self, digest: bytes) -> bool:
        """Tell whether nothing need be written but what is restless."""
        return self.digest == digest and time.monotonic() - self.whole_at < _WHOLE_SECONDS


_written: dict[str, _Written] = {}


def hear(report: HostReport) -> bool:
    """Take a heartbeat that says nothing new, without the database; tell whether it was one.

    Any other is for `report_host`. What was heard is written by `write_heartbeats`.
    """
    known = _written.get(report.host)
    if known is None or not known.reported_at < report.reported_at < known.reported_at + host_rows.CLOCK_STEP_SECONDS:
        return False
    if report_faults.fault(report) or not known.covers(_digest(report)):
        return False
    heartbeats.note(report.host, report.reported_at)
    return True


def is_still(report: HostReport) -> bool:
    """Tell whether a report says nothing new but how busy the host is, as far as this process knows."""
    known = _written.get(report.host)
    return known is not None and known.is_still(_digest(report))


def write_heartbeats() -> None:
    """Write what was heard. A host that was forgotten meanwhile is taken whole the next time it speaks."""
    for host in heartbeats.flush():
        _written.pop(host, None)


def report_host(report: HostReport) -> bool:
    """Take a host's heartbeat and inventory; tell whether it was believed."""
    return bool(report_hosts([report]))


def report_hosts(reports: Collection[HostReport]) -> set[str]:
    """Take the heartbeats and inventories of hosts, one of each; return the hosts that were believed.

    An older report never replaces a newer one, and one that cannot be true changes nothing.
    """
    heard = {one.host for one in reports if hear(one)}
    fresh = {one.host: one for one in reports if one.host not in heard and _can_be_true(one)}
    return heard | _write(fresh) if fresh else heard


def _write(reports: Mapping[str, HostReport]) -> set[str]:
    digests = {host: _digest(one) for host, one in reports.items()}
    still = {host for host, digest in digests.items() if host in _written and _written[host].is_still(digest)}
    noted = heartbeats.take_back(reports)
    newer: set[str] = set()
    try:
        with transaction.atomic():
            fresh, restarted = host_rows.note_services(reports, noted)
            host_rows.write({host: reports[host] for host in fresh}, still & fresh)
            if restarted:
                # Agents that began anew may have taken orders with them to the grave.
                row_locks.send_soon(Operation.objects.filter(host__in=restarted))
        newer = fresh
    finally:
        for host in noted.keys() - newer:
            heartbeats.note(host, noted[host])
    for host in newer:
        whole_at = _written[host].whole_at if host in still else time.monotonic()
        _written[host] = _Written(digests[host], reports[host].reported_at, whole_at)
    return newer


def store_residue(residue: Residue) -> bool:
    """Keep a host's word on what lies there; tell whether the host is known and the word is its newest."""
    return bool(store_residues([residue]))


def store_residues(words: Collection[Residue]) -> set[str]:
    """Keep hosts' words on what lies there, one of each; return the known hosts whose newest words these are."""
    said = {one.host: one for one in words}
    rows = ComputeNode.objects.filter(host__in=said).only("host", "residue", "residue_at")
    with transaction.atomic():
        newer = [row for row in rows.select_for_update().order_by("host") if _is_later(said[row.host], row)]
        changed = {row for row in newer if row.residue != _content(said[row.host])}
        moments = {row.pk: (_moment(said[row.host]),) for row in newer if row not in changed}
        update_each(ComputeNode, ("residue_at",), moments)
        words = {row.pk: (_content(said[row.host]), _moment(said[row.host])) for row in newer if row in changed}
        update_each(ComputeNode, ("residue", "residue_at"), words)
    return {row.host for row in newer}


def _is_later(residue: Residue, row: ComputeNode) -> bool:
    return row.residue_at is None or row.residue_at < _moment(residue)


def _moment(residue: Residue) -> datetime:
    return datetime.fromtimestamp(residue.reported_at, UTC)


def _content(residue: Residue) -> dict[str, Any]:
    return {name: value for name, value in residue.to_wire().items() if isinstance(value, list)}


def _can_be_true(report: HostReport) -> bool:
    fault = report_faults.fault(report)
    if fault:
        _log.warning("refused a report of host %r: %s", report.host[:64], fault)
    return not fault


def _digest(report: HostReport) -> bytes:
    said = report.to_wire()
    steady = {name: said[name] for name in said if name not in host_rows.RESTLESS and name != SIGNATURE}
    return hashlib.sha256(msgspec.json.encode(steady, order="deterministic")).digest()
