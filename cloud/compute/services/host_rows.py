"""The rows of hosts that spoke, written for any number of them in a few statements. Call it in a transaction.

Rows are locked in this order, so that two that write of the same hosts never wait for each other: services by id,
hypervisors by host, providers by id.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from cloud.compute.models import ComputeNode, Service
from cloud.compute.services import fencing, host_feed
from cloud.compute.services.host_states import COMPUTE
from cloud.networks.services import changes
from cloud.placement.services import providers
from contracts.conductor import HostReport

Reports = Mapping[str, HostReport]

# These change all the time and nobody decides anything by them.
RESTLESS = frozenset({
    "reported_at", "load_average", "uptime_text", "memory_mb_free", "disk_gb_free", "clock_offset_seconds"
})
# Reports expire in their queue long before this: one that is so much older comes from a clock that was set back.
CLOCK_STEP_SECONDS = 300.0
_log = logging.getLogger(__name__)
_PLAIN_COLUMNS = (
    "release", "hypervisor_hostname", "hypervisor_type", "hypervisor_version", "host_ip", "vcpus", "memory_mb",
    "disk_gb", "memory_mb_free", "disk_gb_free", "running_vms", "architecture", "load_average", "uptime_text",
    "cached_images", "clock_offset_seconds", "tunnel_ip", "physical_networks", "network_types",
)  # fmt: skip
_STEADY_COLUMNS = tuple(name for name in _PLAIN_COLUMNS if name not in RESTLESS)
_WRITTEN_COLUMNS = (*_PLAIN_COLUMNS, "cpu_info", "troubles", "updated_at")
_TROUBLES, _TROUBLE_CHARACTERS = 8, 500
_NEVER = -1.0


def note_services(reports: Reports, noted: Mapping[str, float]) -> tuple[set[str], set[str]]:
    """Note that hosts were heard of, by the reports that are newer than what they said before.

    Args:
        reports: of hosts, by their names.
        noted: when they spoke last, of those whose last heartbeats are not written yet.

    Returns:
        The hosts of those reports, and of them those whose agents began anew.
    """
    before = _locked(reports)
    if strangers := reports.keys() - before.keys():
        _make_services({host: reports[host] for host in strangers})
        before |= _locked(strangers)
    newer = {
        host for host, (said_at, _) in before.items()
        if _is_newer(reports[host].reported_at, max(said_at, noted.get(host, said_at)))
    }  # fmt: skip
    Service.objects.bulk_create(
        [_service(host, reports[host], last_seen_at=Now()) for host in sorted(newer)],
        update_conflicts=True, unique_fields=["binary", "host"],
        update_fields=["last_seen_at", "reported_at", "started_at"],
    )  # fmt: skip
    return newer, {host for host in newer if before[host][1] != _started_at(reports[host])}


def write(reports: Reports, still: Collection[str]) -> None:
    """Write down what hosts have and how they are, and tell the schedulers of what is new to them.

    Args:
        reports: of hosts, by their names.
        still: those of whose reports this process knows that they say nothing new, but for what is restless. Where
            the rows agree, nothing else of these hosts is looked at.
    """
    before = {row["host"]: row for row in ComputeNode.objects.filter(host__in=reports).values(
        "host", "uuid", "troubles", *_STEADY_COLUMNS
    )}  # fmt: skip
    troubles = {host: _troubles(one) for host, one in reports.items()}
    # What these have is not known now: the last word on that stands.
    silent = {host for host, one in reports.items() if troubles[host] and not one.vcpus}
    for host in silent & before.keys():
        ComputeNode.objects.filter(host=host).update(troubles=troubles[host])
    clear = {host: one for host, one in reports.items() if host not in silent}
    uuids = _write_nodes(clear, troubles) | {host: row["uuid"] for host, row in before.items()}
    restless = {host for host in still if host in before and _agrees(before[host], reports[host])}
    turned = {host for host in uuids if bool(troubles[host]) != bool(before.get(host, {}).get("troubles"))}
    said = [
        providers.Said(host, uuids[host], _totals(one), one.traits)
        for host, one in clear.items() if host not in restless
    ]  # fmt: skip
    changes.note(
        (changes.of_tunnel(host) for host in clear if _tunnel(before.get(host)) != reports[host].tunnel_ip),
        is_urgent=False,
    )
    host_feed.publish(providers.report(said, turned) | (uuids.keys() - before.keys()))
    _log_troubles({host: troubles[host] for host in turned})


def _locked(hosts: Collection[str]) -> dict[str, tuple[float, datetime | None]]:
    """Lock hosts' services; return when each spoke last, by its word, and since when its agent runs."""
    rows = Service.objects.filter(binary=COMPUTE, host__in=hosts).select_for_update().order_by("id")
    return {host: (at, since) for host, at, since in rows.values_list("host", "reported_at", "started_at")}


def _make_services(reports: Reports) -> None:
    """Make the services of hosts that have none, as of hosts that have not spoken yet."""
    # A host that was forgotten is no cleaner for that.
    unclean = fencing.unclean(reports)
    Service.objects.bulk_create(
        [_service(host, one, forced_down=host in unclean, heard_at=_NEVER) for host, one in sorted(reports.items())],
        ignore_conflicts=True,
    )


def _service(host: str, report: HostReport, *, heard_at: float | None = None, **columns: Any) -> Service:
    said_at = report.reported_at if heard_at is None else heard_at
    return Service(binary=COMPUTE, host=host, reported_at=said_at, started_at=_started_at(report), **columns)


def _is_newer(at: float, before: float) -> bool:
    return not before - CLOCK_STEP_SECONDS <= at <= before


def _started_at(report: HostReport) -> datetime:
    return datetime.fromtimestamp(max(report.started_at, 0.0), UTC)


def _troubles(report: HostReport) -> list[str]:
    return [sentence.replace("\0", "")[:_TROUBLE_CHARACTERS] for sentence in report.troubles[:_TROUBLES]]


def _totals(report: HostReport) -> dict[str, int]:
    return {providers.VCPU: report.vcpus, providers.MEMORY_MB: report.memory_mb, providers.DISK_GB: report.disk_gb}


def _write_nodes(reports: Reports, troubles: Mapping[str, list[str]]) -> dict[str, str]:
    """Make or renew hosts' hypervisors; return the uuid of each as it is where it is new."""
    now = timezone.now()
    rows = [
        ComputeNode(host=host, troubles=troubles[host], updated_at=now, **_columns(one))
        for host, one in sorted(reports.items())
    ]
    ComputeNode.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["host"], update_fields=_WRITTEN_COLUMNS
    )
    return {row.host: row.uuid for row in rows}


def _tunnel(row: Mapping[str, Any] | None) -> str:
    return str(row["tunnel_ip"]) if row else ""


def _agrees(row: Mapping[str, Any], report: HostReport) -> bool:
    columns = _columns(report)
    return all(row[name] == columns[name] for name in _STEADY_COLUMNS)


def _log_troubles(troubles: Mapping[str, list[str]]) -> None:
    for host, sentences in sorted(troubles.items()):
        if sentences:
            _log.warning("host %s takes no new servers: %s", host, "; ".join(sentences))
        else:
            _log.warning("host %s takes new servers again", host)


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
