"""Asking hosts what they have of a server; one that does not answer is known by its last report."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from cloud.compute import states
from cloud.compute.models import ComputeNode, Instance
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.context import new_request_id
from cloud.core.errors import Unavailable
from cloud.core.models import new_uuid
from contracts.compute import COMMANDS, PortSpec
from contracts.inspection import InspectServer, PortAsked, ServerInspected

_SECONDS = COMMANDS[InspectServer.NAME].timing.deadline_seconds
# Where a report names servers.
_NAMING = ("domains", "disks", "asides", "plugged")


@dataclass(frozen=True)
class Word:
    """What a host says of a server: what it saw just now, or else its last report.

    Attributes:
        seen: None where it did not answer; `silence` then says why.
        report: as `contracts.conductor.Residue` on the wire; empty where it never reported.
    """

    host: str
    seen: ServerInspected | None
    silence: str
    report: dict[str, Any]
    reported_at: datetime | None


def ask(instance: Instance, host: str, ports: list[PortSpec]) -> Word:
    """Ask one host."""
    node = ComputeNode.objects.filter(host=host).first()
    report, reported_at = (node.residue, node.residue_at) if node else ({}, None)
    needed = COMMANDS[InspectServer.NAME].since
    if node is not None and node.release < needed:
        return Word(host, None, f"its agent is of release {node.release}", report, reported_at)
    order = InspectServer(**fence(instance, host, _SECONDS), ports=[_asked(port) for port in ports])
    try:
        outcome = rpc.call(order, _SECONDS)
    except Unavailable:
        return Word(host, None, "no answer", report, reported_at)
    if outcome.is_failure:
        return Word(host, None, f"{outcome.error_code}: {outcome.detail}", report, reported_at)
    return Word(host, outcome, "", report, reported_at)


def fence(instance: Instance, host: str, seconds: float, step: str = "doctor") -> dict[str, Any]:
    """Return what an order carries that belongs to no operation of ours: it is one of its own for the host."""
    return {
        "operation_id": new_uuid(),
        "step": step,
        "instance_uuid": instance.uuid,
        "host": host,
        "attempt": 1,
        "not_after": database_now().timestamp() + seconds,
        "request_id": new_request_id(),
    }


def _asked(port: PortSpec) -> PortAsked:
    addresses = [fixed.ip_address for fixed in port.fixed_ips]
    return PortAsked(id=port.id, mac_address=port.mac_address, network_id=port.network.id, addresses=addresses)


def mentioned(instance_uuid: str) -> list[str]:
    """Return the hosts whose last report names the server, whoever's it is."""
    rows = ComputeNode.objects.exclude(residue={}).values_list("host", "residue")
    return sorted(
        host for host, said in rows.iterator() if any(instance_uuid in said.get(kind, ()) for kind in _NAMING)
    )


def servers_of(host: str) -> list[Instance] | None:
    """Return the servers that are on a host, and those that its last report names; None where there is no such host.

    Those that the books do not know are among them.
    """
    node = ComputeNode.objects.filter(host=host).first()
    if node is None:
        return None
    named = {uuid for kind in _NAMING for uuid in node.residue.get(kind, ())}
    found = list(Instance.objects.filter(Q(host=host, deleted=False) | Q(uuid__in=named)).order_by("uuid"))
    return [*found, *(unknown(uuid) for uuid in sorted(named - {one.uuid for one in found}))]


def unknown(uuid: str) -> Instance:
    """Return what stands for a server that the books do not know, as after they were restored; it is not kept."""
    return Instance(uuid=uuid, deleted=True, vm_state=states.DELETED, task_state=states.IDLE)
