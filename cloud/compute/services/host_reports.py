"""What hosts say of themselves, believed as far as it can be true."""

import hashlib
import logging
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from cloud.compute.models import ComputeNode, Operation, Service
from cloud.compute.services import fencing, host_feed, report_faults, row_locks
from cloud.compute.services.heartbeats import heartbeats
from cloud.compute.services.host_states import COMPUTE
from cloud.placement.models import ResourceProvider
from cloud.placement.services import providers
from contracts.conductor import HostReport, Residue

_log = logging.getLogger(__name__)

_PLAIN_COLUMNS = (
    "release", "hypervisor_hostname", "hypervisor_type", "hypervisor_version", "host_ip", "vcpus", "memory_mb",
    "disk_gb", "memory_mb_free", "disk_gb_free", "running_vms", "architecture", "load_average", "uptime_text",
    "cached_images", "clock_offset_seconds",
)  # fmt: skip
# These change all the time and nobody decides anything by them.
_RESTLESS = frozenset({
    "reported_at", "load_average", "uptime_text", "memory_mb_free", "disk_gb_free", "clock_offset_seconds"
})
_RESTLESS_SECONDS, _WHOLE_SECONDS = 60.0, 600.0
# Reports expire in their queue long before this: one that is so much older comes from a clock that was set back.
_CLOCK_STEP_SECONDS = 300.0
_TROUBLES, _TROUBLE_CHARACTERS = 8, 500


class _Written:
    """What this process last wrote of a host, so that a report that says nothing new costs next to nothing."""

    def __init__(self, digest: bytes, reported_at: float) -> None:
        self.digest = digest
        self.reported_at = reported_at
        self.whole_at = self.at = time.monotonic()

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
    if known is None or not known.reported_at < report.reported_at < known.reported_at + _CLOCK_STEP_SECONDS:
        return False
    if report_faults.fault(report) or not known.covers(_digest(report)):
        return False
    heartbeats.note(report.host, report.reported_at)
    return True


def write_heartbeats() -> None:
    """Write what was heard. A host that was forgotten meanwhile is taken whole the next time it speaks."""
    for host in heartbeats.flush():
        _written.pop(host, None)


def report_host(report: HostReport) -> bool:
    """Take a host's heartbeat and inventory; tell whether it was believed.

    An older report never replaces a newer one, and one that cannot be true changes nothing.
    """
    fault = report_faults.fault(report)
    if fault:
        _log.warning("refused a report of host %r: %s", report.host[:64], fault)
        return False
    digest = _digest(report)
    known = _written.get(report.host)
    is_seen = _see(report)
    if is_seen and known and known.covers(digest):
        return True
    if is_seen and known and known.is_still(digest) and _freshen(report):
        known.at, known.reported_at = time.monotonic(), report.reported_at
        return True
    with transaction.atomic():
        if not is_seen and not _create(report):
            return False
        is_anew = _note_start(report)
        _write(report)
    if is_anew:
        # An agent that began anew may have taken orders with it to the grave.
        row_locks.send_soon(Operation.objects.filter(host=report.host))
    _written[report.host] = _Written(digest, report.reported_at)
    return True


def store_residue(residue: Residue) -> bool:
    """Keep a host's word on what lies there; tell whether the host is known and the word is its newest."""
    at = datetime.fromtimestamp(residue.reported_at, UTC)
    newer = ComputeNode.objects.filter(host=residue.host, residue_at__gte=at)
    if newer.exists():
        return False
    content = {name: value for name, value in residue.to_wire().items() if isinstance(value, list)}
    return bool(ComputeNode.objects.filter(host=residue.host).update(residue=content, residue_at=at))


def _digest(report: HostReport) -> bytes:
    steady = {name: value for name, value in report.to_wire().items() if name not in _RESTLESS}
    return hashlib.sha256(msgspec.json.encode(steady, order="deterministic")).digest()


def _see(report: HostReport) -> bool:
    at = report.reported_at
    is_newer = Q(reported_at__lt=at) | Q(reported_at__gt=at + _CLOCK_STEP_SECONDS)
    rows = Service.objects.filter(is_newer, binary=COMPUTE, host=report.host)
    return bool(rows.update(last_seen_at=Now(), reported_at=at))


def _create(report: HostReport) -> bool:
    """Make the host's service; False where there is one, which heard a newer report."""
    _, is_new = Service.objects.get_or_create(
        binary=COMPUTE,
        host=report.host,
        defaults={
            "last_seen_at": Now(), "reported_at": report.reported_at, "started_at": _started_at(report),
            # A host that was forgotten is no cleaner for that.
            "forced_down": not fencing.is_clean(report.host),
        },
    )
    return is_new


def _freshen(report: HostReport) -> bool:
    """Write what is restless, if all else is as another conductor too would have written it; tell whether it is."""
    columns = _columns(report)
    restless = {name: value for name, value in columns.items() if name in _RESTLESS}
    steady = {name: value for name, value in columns.items() if name not in _RESTLESS and name != "cpu_info"}
    return bool(ComputeNode.objects.filter(host=report.host, **steady).update(**restless))


def _started_at(report: HostReport) -> datetime:
    return datetime.fromtimestamp(max(report.started_at, 0.0), UTC)


def _write(report: HostReport) -> None:
    troubles = [sentence[:_TROUBLE_CHARACTERS] for sentence in report.troubles[:_TROUBLES]]
    if troubles and not report.vcpus:
        _trouble(report.host, troubles)  # what it has is not known now: the last word on that stands
        return
    before = ComputeNode.objects.filter(host=report.host).values_list("troubles", flat=True).first()
    node, is_new = ComputeNode.objects.update_or_create(
        host=report.host, defaults={**_columns(report), "troubles": troubles}
    )
    totals = {
        providers.VCPU: report.vcpus, providers.MEMORY_MB: report.memory_mb, providers.DISK_GB: report.disk_gb
    }
    is_other = providers.report(report.host, node.uuid, totals, report.traits)
    if bool(before) != bool(troubles):
        _tell_anew(report.host, troubles)
    elif is_other or is_new:
        host_feed.publish([report.host])


def _note_start(report: HostReport) -> bool:
    """Note when the agent began; tell whether it began anew."""
    started_at = _started_at(report)
    rows = Service.objects.filter(binary=COMPUTE, host=report.host).exclude(started_at=started_at)
    return bool(rows.update(started_at=started_at))


def _trouble(host: str, troubles: list[str]) -> None:
    rows = ComputeNode.objects.filter(host=host)
    before = rows.values_list("troubles", flat=True).first()
    if rows.update(troubles=troubles) and not before:
        _tell_anew(host, troubles)


def _tell_anew(host: str, troubles: list[str]) -> None:
    """Tell the schedulers; to them the host's state must be a newer one."""
    if troubles:
        _log.warning("host %s takes no new servers: %s", host, "; ".join(troubles))
    else:
        _log.warning("host %s takes new servers again", host)
    ResourceProvider.objects.filter(name=host).update(generation=F("generation") + 1)
    host_feed.publish([host])


def _columns(report: HostReport) -> dict[str, Any]:
    return {name: getattr(report, name) for name in _PLAIN_COLUMNS} | {
        "hypervisor_hostname": report.hypervisor_hostname or report.host,
        "cpu_info": {
            "arch": report.architecture,
            "model": report.cpu_model,
            "vendor": report.cpu_vendor,
            "topology": {
                "sockets": report.cpu_sockets, "cores": report.cpu_cores, "threads": report.cpu_threads
            },
            "features": report.cpu_features,
        },
    }
