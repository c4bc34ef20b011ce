"""Asking hosts what they have of a server; one that does not answer is known by its last report."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.compute.models import ComputeNode, Instance
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.core.context import new_request_id
from cloud.core.errors import Unavailable
from cloud.core.models import new_uuid
from contracts.compute import COMMANDS, PortSpec
from contracts.inspection import InspectServer, PortAsked, ServerInspected

_SECONDS = 10.0
_KINDS = ("domains", "disks", "asides")


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
    return sorted(host for host, said in rows.iterator() if any(instance_uuid in said.get(kind, ()) for kind in _KINDS))
