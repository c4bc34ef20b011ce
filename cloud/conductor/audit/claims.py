"""Invariants of what is held: no host is promised twice, nobody holds who is not there, usage is what is counted."""

from collections.abc import Iterator, Mapping

from django.db.models import Sum

from cloud.compute.models import Instance, Migration
from cloud.compute.models.migrations import UNFINISHED
from cloud.compute.selectors.holdings import COUNTED, holdings
from cloud.conductor.audit.findings import Finding
from cloud.conductor.doctor.checks import mend
from cloud.conductor.steps.orders import claim_of
from cloud.identity.models import QuotaUsage
from cloud.networks.models import Port
from cloud.placement.models import Allocation, Inventory


def within_capacity(number: str) -> Iterator[Finding]:
    """What is held of a host fits it, and is the sum of what its servers hold."""
    held = {
        (row["provider__name"], row["resource_class"]): row["total"]
        for row in Allocation.objects.values("provider__name", "resource_class").annotate(total=Sum("used"))
    }
    for row in Inventory.objects.select_related("provider"):
        host, name = row.provider.name, row.resource_class
        total = held.pop((host, name), 0)
        if row.used > row.capacity:
            command = _relief(host, name, total - row.capacity)
            yield Finding(number, f"host {host}", f"{row.used} {name} are held of {row.capacity}", command)
        if row.used != total:
            text = f"{row.used} {name} are booked, servers hold {total}"
            yield Finding(number, f"host {host}", text, f"manage.py recount host {host}")
    for (host, name), total in held.items():
        text = f"{total} {name} are held of nothing"
        yield Finding(number, f"host {host}", text, f"manage.py doctor host {host}")


def _relief(host: str, resource_class: str, excess: int) -> str:
    """Return what makes room on a host: the smallest of its servers that is enough moves away, or else the largest."""
    if excess <= 0:
        return f"manage.py recount host {host}"
    rows = Allocation.objects.filter(provider__name=host, resource_class=resource_class).order_by("used", "id")
    holder = rows.filter(used__gte=excess).first() or rows.last()
    return f"openstack server migrate --wait {holder.consumer_uuid}" if holder else f"manage.py doctor host {host}"


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
            command = mend(consumer, "claim") if owner else f"manage.py recount host {host}"
            yield Finding(number, f"server {consumer}", f"holds a claim on host {host}, where it is not", command)
        elif amounts != claim_of(owner, host).amounts:
            text = f"holds {amounts} on host {host}, which is not what it needs"
            yield Finding(number, f"server {consumer}", text, mend(consumer, "claim"))
    for owner in living.values():
        if owner.host and (owner.uuid, owner.host) not in held and owner.uuid not in landing:
            text = f"is on host {owner.host} without a claim"
            yield Finding(number, f"server {owner.uuid}", text, mend(owner.uuid, "claim"))
    yield from _stray_ports(number, set(living))
    yield from _ports_elsewhere(number, {one.uuid: one.host for one in living.values() if one.uuid not in landing})


def _of_source(number: str, migration: Migration, host: str, living: Mapping[str, Instance]) -> Iterator[Finding]:
    """What a move holds is its server's old place."""
    if host != migration.source_compute or migration.instance_uuid not in living:
        text = f"holds a claim on host {host}, which is not its to hold"
        yield Finding(number, f"migration {migration.uuid}", text, f"manage.py recount host {host}")


def _stray_ports(number: str, living: set[str]) -> Iterator[Finding]:
    ports = Port.objects.filter(device_owner__startswith="compute:").exclude(device_id="")
    for port_id, device_id in ports.values_list("id", "device_id"):
        if device_id not in living:
            command = f"openstack port delete {port_id}"
            yield Finding(number, f"port {port_id}", f"belongs to server {device_id}, which is no more", command)


def _ports_elsewhere(number: str, homes: Mapping[str, str]) -> Iterator[Finding]:
    """A port of a server that is on a host, and is not on its way to another, is bound there."""
    bound = Port.objects.filter(position__gte=0).exclude(device_id="").exclude(host="")
    for port_id, device_id, host in bound.values_list("id", "device_id", "host"):
        home = homes.get(device_id, "")
        if home and host != home:
            text = f"has port {port_id} bound to host {host}, and is on {home}"
            yield Finding(number, f"server {device_id}", text, mend(device_id, "ports"))


def counted(number: str) -> Iterator[Finding]:
    """What a project uses by its quota is what it has."""
    have = holdings()
    booked = {(row.project_id, row.resource): row.in_use for row in QuotaUsage.objects.filter(resource__in=COUNTED)}
    for project_id, resource in sorted({*have, *booked}):
        has, uses = have[project_id, resource], booked.get((project_id, resource), 0)
        if has != uses:
            text = f"has {has} {resource}, its quota counts {uses}"
            yield Finding(number, f"project {project_id}", text, f"manage.py recount project {project_id}")
