"""What the database says of a server, compared with itself: states, operations, claims, quota, ports."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from django.db.models import F, Q, Sum

from cloud.compute import states
from cloud.compute.models import Instance, InstanceFault, InstanceTag, Migration, Operation, ServerGroupMember, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.selectors.holdings import COUNTED, holdings
from cloud.conductor.doctor.checks import Check, Verdict, judged, mend
from cloud.conductor.steps.orders import claim_of
from cloud.core.clock import database_now
from cloud.core.presentation import duration
from cloud.identity.services import quotas
from cloud.networks.models import Port
from cloud.placement.models import Allocation, Inventory

_GRACE = timedelta(seconds=30)
_OPEN = (StepState.PENDING, StepState.SENT)
_NOTHING = "nothing"


def state(instance: Instance, running: list[Operation]) -> Iterator[Check]:
    """A server is at rest, or an operation is under way that will end that; an ERROR has a reason."""
    is_moving = instance.task_state in states.TRANSIENT or instance.vm_state == states.BUILDING
    found = f"{instance.vm_state}{f', {instance.task_state}' if instance.task_state else ''}"
    if is_moving and not running:
        yield Check("state", "an operation that ends it", f"{found}, and none runs", Verdict.WRONG,
                    mend(instance.uuid, "settle"))
    elif instance.vm_state == states.ERROR and not running:
        fault = InstanceFault.objects.filter(instance_uuid=instance.uuid).order_by("-id").first()
        reason = (fault.details or fault.message).splitlines()[0] if fault else "no reason is known"
        way_out = "restart" if instance.host else "delete"
        yield Check("state", "at rest", f"{found}: {reason}", Verdict.WRONG, mend(instance.uuid, way_out))
    else:
        verdict = Verdict.BUSY if running else Verdict.OK
        yield Check("state", "at rest", found, verdict)


def operations(instance: Instance, running: list[Operation]) -> Iterator[Check]:
    """At most one operation runs, in time and with somebody to move it on; what is closed is closed."""
    now = database_now()
    if len(running) > 1:
        names = " and ".join(one.action for one in running)
        yield Check("operation", "one at a time", f"{names} at once", Verdict.WRONG, mend(instance.uuid, "end"))
    for one in running[:1]:
        yield _of_running(instance, one, now)
    left = Step.objects.filter(operation__instance_uuid=instance.uuid, state__in=_OPEN).filter(
        ~Q(operation__state=OperationState.RUNNING) | Q(attempt__lt=F("operation__attempt"))
    )
    endless = Operation.objects.filter(instance_uuid=instance.uuid, finished_at=None).exclude(
        state=OperationState.RUNNING
    )
    loose = [f"step {step.name} is {step.state}" for step in left[:3]]
    loose += [f"{one.action} {one.state} without an end" for one in endless[:3]]
    if loose:
        yield Check("operation", "closed", "; ".join(loose), Verdict.WRONG, mend(instance.uuid, "close"))
    elif not running:
        yield Check("operation", "none under way", "none under way")


def _of_running(instance: Instance, operation: Operation, now: datetime) -> Check:
    text = f"{operation.action} for {duration((now - operation.started_at).total_seconds())}"
    if operation.deadline + _GRACE < now:
        late = duration((now - operation.deadline).total_seconds())
        return Check("operation", "in time", f"{text}, {late} late", Verdict.WRONG, mend(instance.uuid, "end"))
    if operation.resend_at is None or operation.resend_at + _GRACE < now:
        return Check("operation", "moved on", f"{text}, and nobody sends it", Verdict.WRONG,
                     mend(instance.uuid, "resend"))
    return Check("operation", "in time", text, Verdict.BUSY)


def claim(instance: Instance, migration: Migration | None) -> Iterator[Check]:
    """A server holds of its host what it needs, and of no other anything but while it moves."""
    held: dict[str, dict[str, int]] = {}
    rows = Allocation.objects.filter(consumer_uuid=instance.uuid)
    for host, name, used in rows.values_list("provider__name", "resource_class", "used"):
        held.setdefault(host, {})[name] = used
    if migration is not None:
        places = {migration.source_compute, migration.dest_compute} - {""}
        is_right = set(held) <= places
        yield Check("claim", f"on {' or '.join(sorted(places))}", _claims(held), _verdict(is_right=is_right),
                    "" if is_right else mend(instance.uuid, "claim"))
    else:
        wanted = {instance.host: dict(claim_of(instance, instance.host).amounts)} if _holds(instance) else {}
        yield judged("claim", _claims(wanted), _claims(held), mend(instance.uuid, "claim"))
    yield from _host_books({*held, *([instance.host] if _holds(instance) else [])})


def _verdict(*, is_right: bool) -> Verdict:
    return Verdict.OK if is_right else Verdict.WRONG


def _holds(instance: Instance) -> bool:
    return bool(instance.host) and not instance.deleted


def _claims(held: Mapping[str, Mapping[str, int]]) -> str:
    parts = [
        f"{', '.join(f'{amounts[name]} {name}' for name in sorted(amounts))} of {host}"
        for host, amounts in sorted(held.items())
    ]
    return "; ".join(parts) or _NOTHING


def _host_books(hosts: set[str]) -> Iterator[Check]:
    """What is booked of a host is the sum of what is held of it."""
    rows = Allocation.objects.filter(provider__name__in=hosts)
    sums = {
        (host, name): total
        for host, name, total in rows.values_list("provider__name", "resource_class").annotate(Sum("used"))
    }
    for row in Inventory.objects.filter(provider__name__in=hosts).select_related("provider"):
        host, name = row.provider.name, row.resource_class
        total = sums.get((host, name), 0)
        if row.used != total:
            yield Check("host's books", f"{total} {name} of {host}", f"{row.used} {name} of {host}", Verdict.WRONG,
                        f"manage.py recount host {host}")


def quota(instance: Instance) -> Iterator[Check]:
    """What the project's quota counts is what the project has."""
    has, counted = holdings(instance.project_id), quotas.usages(instance.project_id, COUNTED)
    expected = ", ".join(f"{has[instance.project_id, name]} {name}" for name in COUNTED)
    found = ", ".join(f"{counted[name]} {name}" for name in COUNTED)
    yield judged("quota", expected, found, f"manage.py recount project {instance.project_id}")


def ports(instance: Instance) -> Iterator[Check]:
    """The ports of a server are bound to its host and work; none is missing, and a deleted server has none."""
    rows = list(Port.objects.filter(device_id=instance.uuid, position__gte=0).order_by("position"))
    command = mend(instance.uuid, "ports")
    if instance.deleted or not instance.host:
        yield judged("ports", "none", ", ".join(one.id for one in rows) or "none", command)
        return
    status = "ACTIVE" if instance.vm_state == states.ACTIVE and not instance.task_state else ""
    for one in rows:
        expected = f"on {instance.host}{f', {status}' if status else ''}"
        found = f"on {one.host or 'no host'}{f', {one.status}' if status else ''}"
        yield judged(f"port {one.id[:8]}", expected, found, command)
    wanted = sum(bool(one) for one in instance.network_request.get("requests", []))
    if len(rows) < wanted:
        yield Check("ports", f"{wanted} ports", f"{len(rows)} ports", Verdict.WRONG, command)


def leftovers(instance: Instance) -> Iterator[Check]:
    """A deleted server has neither tags nor a group."""
    if not instance.deleted:
        return
    models = {"tags": InstanceTag, "group": ServerGroupMember}
    found = [name for name, model in models.items() if model.objects.filter(instance_uuid=instance.uuid).exists()]
    yield judged("leftovers", "none", ", ".join(found) or "none", mend(instance.uuid, "ports"))
