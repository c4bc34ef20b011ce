"""What a host sees of itself, as the messages that the conductor is told."""

import os
import time
from collections.abc import Iterator, Mapping

import msgspec

from compute_agent.drivers.base import PowerState
from compute_agent.errors import AgentError
from compute_agent.host import Host
from contracts import RELEASE
from contracts.conductor import HostReport, InstancePower, PowerReport, Residue

# The cache may hold any number of images; a report's size may not.
_IMAGES_NAMED = 200
_BATCH = 200
_OFF = frozenset({PowerState.SHUTDOWN, PowerState.CRASHED})


def host_report(host: Host, host_ip: str, started_at: float) -> HostReport:
    """Return the host's inventory, as it is now, or why it cannot be told."""
    ways = host.network.underlay()
    report = HostReport(
        host=host.name,
        reported_at=host.stamp(),
        started_at=started_at,
        clock_offset_seconds=round(time.time() - host.clock(), 3),
        release=RELEASE,
        host_ip=host_ip,
        load_average=", ".join(f"{load:.2f}" for load in os.getloadavg()),
        uptime_text=_uptime_text(),
        tunnel_ip=ways.tunnel_ip,
        physical_networks=sorted(ways.wires),
        network_types=list(ways.network_types),
    )
    try:
        return _with_inventory(report, host)
    except (AgentError, OSError) as exc:
        return msgspec.structs.replace(report, troubles=[f"the host cannot be observed: {exc}"])


def _with_inventory(report: HostReport, host: Host) -> HostReport:
    seen = host.driver.inventory()
    domains = host.driver.list_domains()
    return msgspec.structs.replace(
        report,
        troubles=[] if host.storage.has_room() else ["the disk is full"],
        hypervisor_hostname=seen.hypervisor_hostname,
        hypervisor_type=seen.hypervisor_type,
        hypervisor_version=seen.hypervisor_version,
        architecture=seen.architecture,
        cpu_model=seen.cpu_model,
        cpu_vendor=seen.cpu_vendor,
        cpu_sockets=seen.cpu_sockets,
        cpu_cores=seen.cpu_cores,
        cpu_threads=seen.cpu_threads,
        cpu_features=list(seen.cpu_features),
        vcpus=seen.vcpus,
        memory_mb=seen.memory_mb,
        disk_gb=seen.disk_gb,
        memory_mb_free=seen.memory_mb_free,
        disk_gb_free=seen.disk_gb_free,
        running_vms=sum(state is PowerState.RUNNING for state in domains.values()),
        traits=list(seen.traits),
        cached_images=sorted(host.storage.cached_images())[:_IMAGES_NAMED],
    )


def full_power_report(host: Host) -> Iterator[PowerReport]:
    """Yield the power states of all domains of ours, in batches."""
    reported_at = host.stamp()  # before looking: what changes meanwhile is reported by a later message
    return _power_reports(host.name, reported_at, host.driver.list_domains(), is_full=True)


def changed_power_report(host: Host, changed: Mapping[str, PowerState]) -> Iterator[PowerReport]:
    """Yield the power states that changed, in batches: as they are, if they have changed again since they were noted.

    Whoever hears of a guest that it is off believes that it was at the time of the report. One that was started between
    the note and the report would count as having gone off by itself.
    """
    reported_at = host.stamp()  # before looking, as above
    return _power_reports(host.name, reported_at, _as_they_are(host, changed), is_full=False)


def _as_they_are(host: Host, noted: Mapping[str, PowerState]) -> Mapping[str, PowerState]:
    try:
        there = host.driver.list_domains()
    except (AgentError, OSError):
        return noted  # a full report follows when the host can be observed again
    return {uuid: _newer(state, there.get(uuid, state)) for uuid, state in noted.items()}


def _newer(noted: PowerState, seen: PowerState) -> PowerState:
    """Return what a domain is by now; that it crashed is known by who was told, not by who looks."""
    is_known = seen is not PowerState.NOSTATE
    return seen if is_known and (noted in _OFF) != (seen in _OFF) else noted


def residue(host: Host) -> Residue:
    """Return what lies on the host for any instance or port."""
    taps = host.network.plugged_ports()
    return Residue(
        host=host.name,
        reported_at=host.stamp(),
        domains=sorted(host.driver.list_domains()),
        disks=sorted(host.storage.instances_with_disks()),
        asides=sorted(host.storage.instances_aside()),
        plugged=sorted(set(taps.values())),
        tap_port_ids=sorted(taps),
        lease_port_ids=sorted(host.network.leases()),
        metadata_port_ids=sorted(host.network.metadata_ports()),
    )


def _power_reports(
    host: str, reported_at: float, states: Mapping[str, PowerState], *, is_full: bool
) -> Iterator[PowerReport]:
    instances = [InstancePower(instance_uuid=uuid, power_state=state) for uuid, state in sorted(states.items())]
    for start in range(0, len(instances) or 1, _BATCH):
        batch = instances[start : start + _BATCH]
        yield PowerReport(host=host, reported_at=reported_at, instances=batch, is_full=is_full)


def _uptime_text() -> str:
    days, seconds = divmod(int(time.clock_gettime(time.CLOCK_BOOTTIME)), 86_400)
    clock = time.strftime("%H:%M:%S")
    load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
    return f" {clock} up {days} days, {seconds // 3600:2}:{seconds % 3600 // 60:02},  0 users,  load average: {load}"
