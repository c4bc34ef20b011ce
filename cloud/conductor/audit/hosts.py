"""Invariants of hosts, judged from their last word on what lies there: what should be, is, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from cloud.compute import states
from cloud.compute.models import ComputeNode, Instance, InstanceTag, Migration, Operation, ServerGroupMember
from cloud.compute.models.migrations import UNFINISHED
from cloud.compute.models.operations import OperationState
from cloud.conductor.audit import networks
from cloud.conductor.audit.findings import Finding
from cloud.conductor.doctor.checks import mend
from cloud.core.clock import database_now
from cloud.networks.models import Port
from cloud.placement.models import Allocation

_FRESH_SECONDS = 300.0
# A host's clock and the time that its answer takes.
_SLACK = timedelta(seconds=5)
_OF_PORTS = {"tap_port_ids": "a tap", "lease_port_ids": "a lease", "metadata_port_ids": "metadata"}
_OF_INSTANCES = {"domains": "a guest", "disks": "a disk"}


@dataclass(frozen=True)
class _Server:
    """Where an instance is, and since when that is so."""

    host: str
    vm_state: str
    deleted: bool
    updated_at: datetime


class _World:
    """The hosts' words, the instances and ports that they speak of. Whatever changed since a word is left out."""

    @cached_property
    def nodes(self) -> list[dict[str, Any]]:
        since = database_now() - timedelta(seconds=_FRESH_SECONDS)
        return list(ComputeNode.objects.filter(residue_at__gt=since).values("host", "residue", "residue_at"))

    @cached_property
    def servers(self) -> dict[str, _Server]:
        kinds = (*_OF_INSTANCES, "asides")
        named = {uuid for node in self.nodes for kind in kinds for uuid in node["residue"].get(kind, [])}
        columns = ("host", "vm_state", "deleted", "updated_at")
        found: dict[str, _Server] = {}
        for rows in (Instance.objects.filter(deleted=False), Instance.objects.filter(deleted=True, uuid__in=named)):
            found |= {row.pop("uuid"): _Server(**row) for row in rows.values("uuid", *columns)}
        return found

    @cached_property
    def busy(self) -> set[str]:
        running = Operation.objects.filter(state=OperationState.RUNNING)
        return set(running.values_list("instance_uuid", flat=True))

    @cached_property
    def ports(self) -> dict[str, tuple[str, str]]:
        """Host and owner of every port that is bound."""
        rows = Port.objects.exclude(host="").values_list("id", "host", "device_id")
        return {port_id: (host, device_id) for port_id, host, device_id in rows}

    def is_settled(self, uuid: str, at: datetime) -> bool:
        """Whether nothing was done to the instance since a while before this moment."""
        return uuid not in self.busy and self.is_recent(uuid, at)

    def is_recent(self, uuid: str, at: datetime) -> bool:
        """Whether the instance is as it was at this moment."""
        server = self.servers.get(uuid)
        return server is None or server.updated_at + _SLACK < at

    @cached_property
    def disks(self) -> dict[str, list[str]]:
        """Whose disks each host has."""
        return {node["host"]: node["residue"].get("disks", []) for node in self.nodes}

    @cached_property
    def asides(self) -> dict[str, list[str]]:
        """Whose disks each host has set aside."""
        return {node["host"]: node["residue"].get("asides", []) for node in self.nodes}

    @cached_property
    def elsewhere(self) -> dict[str, str]:
        """Where the disks of servers are that their own hosts do not have, as after the books were restored.

        Disks that are aside count where there are no others.
        """
        aside = {uuid: host for uuid, host in self._away(self.asides) if uuid not in self.asides[self._home(uuid)]}
        return aside | dict(self._away(self.disks))

    def _away(self, disks: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
        for host, uuids in disks.items():
            for uuid in uuids:
                home = self._home(uuid)
                if home != host and uuid not in self.disks.get(home, [uuid]):
                    yield uuid, host

    def _home(self, uuid: str) -> str:
        server = self.servers.get(uuid)
        return server.host if server and not server.deleted else ""

    @cached_property
    def active_hosts(self) -> set[str]:
        """Hosts that worked since they gave their word: a port that they named may have gone meanwhile."""
        said = {node["host"]: node["residue_at"] for node in self.nodes}
        oldest = min(said.values(), default=database_now()) - _SLACK
        found: set[str] = set()
        rows = Operation.objects.filter(updated_at__gte=oldest).values_list("host", "hosts_tried", "updated_at")
        for host, tried, updated_at in rows:
            found |= {one for one in (host, *tried) if one in said and said[one] <= updated_at + _SLACK}
        return found


def as_booked(number: str) -> Iterator[Finding]:
    """The guests, disks, taps, leases, metadata and rules of a host are those of the servers that are there."""
    world = _World()
    for node in world.nodes:
        yield from _missing_guests(number, world, node)
        yield from _strays(number, world, node)
        yield from _stray_ports(number, world, node)
        yield from _stray_asides(number, world, node)
    yield from networks.behind(number)


def _missing_guests(number: str, world: _World, node: dict[str, Any]) -> Iterator[Finding]:
    there = set(node["residue"].get("domains", []))
    for uuid, server in world.servers.items():
        is_due = server.host == node["host"] and server.vm_state in states.WITH_GUEST and not server.deleted
        if is_due and uuid not in there and world.is_settled(uuid, node["residue_at"]):
            verb = "define" if server.vm_state == states.STOPPED else "restart"
            text = f"is on host {node['host']}, which has no such guest"
            yield Finding(number, f"server {uuid}", text, _adoption(world, uuid) or mend(uuid, verb))


def _strays(number: str, world: _World, node: dict[str, Any]) -> Iterator[Finding]:
    for kind, name in _OF_INSTANCES.items():
        for uuid in node["residue"].get(kind, []):
            server = world.servers.get(uuid)
            is_home = server is not None and server.host == node["host"] and not server.deleted
            if not is_home and world.is_settled(uuid, node["residue_at"]):
                text = f"has {name} of {uuid}, which is not there"
                command = _adoption(world, uuid) or mend(uuid, "sweep", node["host"])
                yield Finding(number, f"host {node['host']}", text, command)


def _adoption(world: _World, uuid: str) -> str:
    return mend(uuid, "adopt", world.elsewhere[uuid]) if uuid in world.elsewhere else ""


def _stray_ports(number: str, world: _World, node: dict[str, Any]) -> Iterator[Finding]:
    for kind, name in _OF_PORTS.items():
        for port_id in node["residue"].get(kind, []):
            host, owner = world.ports.get(port_id, ("", ""))
            is_settled = world.is_settled(owner, node["residue_at"]) and node["host"] not in world.active_hosts
            if host != node["host"] and is_settled:
                text = f"has {name} for port {port_id}, which is not there"
                yield Finding(number, f"host {node['host']}", text, _without_port(world, node["host"], owner))


def _without_port(world: _World, host: str, owner: str) -> str:
    """Return what removes the tap of a port that is not there; its owner may be there all the same, or be unknown."""
    server = world.servers.get(owner)
    if not owner or (server is not None and server.host == host):
        return f"manage.py doctor host {host}"
    return _adoption(world, owner) or mend(owner, "sweep", host)


def _stray_asides(number: str, world: _World, node: dict[str, Any]) -> Iterator[Finding]:
    moving = Migration.objects.filter(status__in=UNFINISHED, source_compute=node["host"])
    expected = set(moving.values_list("instance_uuid", flat=True))
    whole = set(node["residue"].get("domains", [])) & set(node["residue"].get("disks", []))
    for uuid in set(node["residue"].get("asides", [])) - expected:
        server = world.servers.get(uuid)
        if server is None or server.deleted:
            is_wanted = False
        elif server.host == node["host"]:
            # Whoever takes a server out of ERROR, or lost its guest, may want what is aside.
            is_wanted = server.vm_state == states.ERROR or uuid not in whole
        else:
            # An operator's word in the middle of a move can leave all that there is of a server on its old host.
            is_wanted = uuid not in world.disks.get(server.host, [uuid])
        if not is_wanted and world.is_settled(uuid, node["residue_at"]):
            text = f"has set {uuid} aside, which does not come back"
            yield Finding(number, f"host {node['host']}", text, mend(uuid, "drop-aside", node["host"]))


def in_one_place(number: str) -> Iterator[Finding]:
    """A server runs on one host at most."""
    hosts: dict[str, set[str]] = defaultdict(set)
    world = _World()
    for node in world.nodes:
        for uuid in node["residue"].get("domains", []):
            # What a host said before the server came to another one says nothing of now.
            if world.is_recent(uuid, node["residue_at"]):
                hosts[uuid].add(node["host"])
    for uuid, where in hosts.items():
        if len(where) > 1:
            home = world.servers[uuid].host if uuid in world.servers else ""
            astray = min(where - {home})
            text = f"has guests on {', '.join(sorted(where))}"
            yield Finding(number, f"server {uuid}", text, mend(uuid, "sweep", astray))


def gone(number: str) -> Iterator[Finding]:
    """Of a deleted server nothing is left in the books."""
    dead = Instance.objects.filter(deleted=True).values("uuid")
    left = {
        "a claim": Allocation.objects.filter(consumer_uuid__in=dead).values_list("consumer_uuid", flat=True),
        "a tag": InstanceTag.objects.filter(instance_uuid__in=dead).values_list("instance_uuid", flat=True),
        "a group": ServerGroupMember.objects.filter(instance_uuid__in=dead).values_list("instance_uuid", flat=True),
        "a port": Port.objects.filter(device_id__in=dead).values_list("device_id", flat=True),
    }
    for what, uuids in left.items():
        for uuid in set(uuids):
            command = mend(uuid, "claim" if what == "a claim" else "ports")
            yield Finding(number, f"server {uuid}", f"is deleted and still has {what}", command)
