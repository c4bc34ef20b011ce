"""Invariants of what is held: no host is promised twice, nobody holds who is not there, usage is what is counted."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Sum

from cloud.compute.models import Instance, Migration
from cloud.compute.models.migrations import UNFINISHED
from cloud.conductor.audit.findings import Finding
from cloud.conductor.steps.orders import claim_of
from cloud.identity.models import QuotaUsage
from cloud.networks.models import Port
from cloud.placement.models import Allocation, Inventory

_COUNTED = ("instances", "cores", "ram")


def within_capacity(number: str) -> Iterator[Finding]:
    """What is held of a host fits it, and is the sum of what its servers hold."""
    held = {
        (row["provider"], row["resource_class"]): row["total"]
        for row in Allocation.objects.values("provider", "resource_class").annotate(total=Sum("used"))
    }
    for row in Inventory.objects.select_related("provider"):
        subject = f"host {row.provider.name}"
        if row.used > row.capacity:
            yield Finding(number, subject, f"{row.used} {row.resource_class} are held of {row.capacity}")
        total = held.pop((row.provider_id, row.resource_class), 0)
        if row.used != total:
            yield Finding(number, subject, f"{row.used} {row.resource_class} are booked, servers hold {total}")
    for (provider, resource_class), total in held.items():
        yield Finding(number, f"provider {provider}", f"{total} {resource_class} are held of nothing")


def one_owner(number: str) -> Iterator[Finding]:
    """Every claim and every port of a server belongs to a living server that is where the claim is."""
    living = {
        one.uuid: one
        for one in Instance.objects.filter(deleted=False).only(
            "uuid", "host", "project_id", "user_id", "request_spec", "vm_state"
        )
    }
    held: dict[tuple[str, str], dict[str, int]] = {}
    rows = Allocation.objects.values_list("consumer_uuid", "provider__name", "resource_class", "used")
    for consumer, host, resource_class, used in rows:
        held.setdefault((consumer, host), {})[resource_class] = used
    moving = {one.uuid: one for one in Migration.objects.filter(status__in=UNFINISHED)}
    landing = {one.instance_uuid: one for one in moving.values()}
    for (consumer, host), amounts in held.items():
        if consumer in moving:
            yield from _of_source(number, moving[consumer], host, living)
            continue
        owner = living.get(consumer)
        if owner and consumer in landing and host in (landing[consumer].dest_compute, landing[consumer].source_compute):
            continue
        if owner is None or owner.host != host:
            yield Finding(number, f"server {consumer}", f"holds a claim on host {host}, where it is not")
        elif amounts != claim_of(owner, host).amounts:
            yield Finding(number, f"server {consumer}", f"holds {amounts} on host {host}, which is not what it needs")
    for owner in living.values():
        if owner.host and (owner.uuid, owner.host) not in held and owner.uuid not in landing:
            yield Finding(number, f"server {owner.uuid}", f"is on host {owner.host} without a claim")
    yield from _stray_ports(number, set(living))


def _of_source(number: str, migration: Migration, host: str, living: Mapping[str, Instance]) -> Iterator[Finding]:
    """What a move holds is its server's old place."""
    if host != migration.source_compute or migration.instance_uuid not in living:
        yield Finding(number, f"migration {migration.uuid}", f"holds a claim on host {host}, which is not its to hold")


def _stray_ports(number: str, living: set[str]) -> Iterator[Finding]:
    ports = Port.objects.filter(device_owner__startswith="compute:").exclude(device_id="")
    for port_id, device_id in ports.values_list("id", "device_id"):
        if device_id not in living:
            yield Finding(number, f"port {port_id}", f"belongs to server {device_id}, which is no more")


def counted(number: str) -> Iterator[Finding]:
    """What a project uses by its quota is what it has."""
    have: Counter[tuple[str, str]] = Counter()
    both: dict[str, list[dict[str, Any]]] = {
        one.instance_uuid: [one.before["flavor"], one.after["flavor"]]
        for one in Migration.objects.filter(status__in=UNFINISHED)
    }
    living = Instance.objects.filter(deleted=False)
    for uuid, project_id, flavor in living.values_list("uuid", "project_id", "flavor"):
        flavors = both.get(uuid, [flavor])
        have[project_id, "instances"] += 1
        have[project_id, "cores"] += max(one["vcpus"] for one in flavors)
        have[project_id, "ram"] += max(one["memory_mb"] for one in flavors)
    booked = {
        (row.project_id, row.resource): row.in_use
        for row in QuotaUsage.objects.filter(resource__in=_COUNTED)
    }
    for project_id, resource in sorted({*have, *booked}):
        has, uses = have[project_id, resource], booked.get((project_id, resource), 0)
        if has != uses:
            yield Finding(number, f"project {project_id}", f"has {has} {resource}, its quota counts {uses}")
