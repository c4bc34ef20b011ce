"""Whether a cloud came to rest as it must: in its rows, by its audit, and on its hosts."""

from collections.abc import Callable, Iterator

from django.db.models import Q

from cloud.compute import states
from cloud.compute.models import Instance, InstanceFault, Migration, Operation
from cloud.compute.models.migrations import UNFINISHED
from cloud.compute.models.operations import OperationState
from cloud.conductor.audit import auditor
from cloud.conductor.reconcile import reclaim
from cloud.networks.models import Port, Router
from cloud.networks.services import host_documents
from compute_agent.drivers.base import PowerState
from contracts.networks import PARTS
from tests.chaos.sim.hosts import FakeHost
from tests.chaos.sim.world import FULL_REPORT_SECONDS, World

SETTLE_SECONDS = 60.0
_ROUNDS = 5
_ON = frozenset({states.ACTIVE})
_RESTING = states.LIVE - {states.BUILDING}


def is_settled() -> bool:
    """Tell whether nothing is under way any more, or about to be."""
    unsettled = Instance.objects.filter(deleted=False).exclude(task_state=states.IDLE, vm_state__in=_RESTING)
    if unsettled.exists() or reclaim.kept_too_long().exists():
        return False
    return not Operation.objects.filter(state=OperationState.RUNNING).exists()


def is_calm(world: World) -> bool:
    """Tell whether what went wrong is over."""
    return world.clock.now >= world.calm_at and not world.down and not world.database.is_away


def judge(world: World, afterwards: Callable[[], object] = lambda: None) -> list[str]:
    """Let a cloud come to rest, do what is to be done then, and return all that is wrong with it."""
    if not _settle(world):
        return ["it never came to rest", *world.violations, *_unsettled(), *world.errors]
    afterwards()
    for _ in range(_ROUNDS):
        _speak(world)
        found = [str(one) for one in sorted(auditor.look())]
        wrong = [*(() if world.has_operator_spoken else _reasonless()), *_hosts(world)]
        if not found and not wrong:
            break
        world.run(FULL_REPORT_SECONDS)
    return [*world.violations, *_unsettled(), *found, *wrong, *world.errors]


def _settle(world: World) -> bool:
    """Wait until it is calm and nothing is under way, a while after the last trouble at most."""
    seen_until = -1.0
    while world.calm_at > seen_until:  # trouble that came meanwhile takes its time as well
        seen_until = world.calm_at
        seconds = max(seen_until - world.clock.now, 0.0) + SETTLE_SECONDS
        if world.run(seconds, lambda: is_calm(world) and is_settled()):
            return True
    return False


def _speak(world: World) -> None:
    """Let every host give its word now, and everybody act on it."""
    world.run(6.0)
    for host in world.hosts:
        world.report_all(host)
    world.run(1.0, lambda: not world.wire.waiting())


def _unsettled() -> Iterator[str]:
    for one in Instance.objects.filter(deleted=False).exclude(task_state=states.IDLE, vm_state__in=_RESTING):
        yield f"server {one.uuid} is {one.vm_state}/{one.task_state}"
    for one in Operation.objects.filter(state=OperationState.RUNNING):
        sent = list(one.steps.filter(state="sent").values_list("name", "attempt", "sends"))
        yield f"operation {one.workflow} attempt {one.attempt} runs: {sent} until {one.deadline}, again {one.resend_at}"


def _reasonless() -> Iterator[str]:
    for uuid in Instance.objects.filter(deleted=False, vm_state=states.ERROR).values_list("uuid", flat=True):
        if not InstanceFault.objects.filter(instance_uuid=uuid).exists():
            yield f"server {uuid} is in ERROR without a reason"


def _hosts(world: World) -> Iterator[str]:
    """What lies on the machines themselves is what the rows say, and nothing else."""
    servers = list(Instance.objects.filter(deleted=False))
    moving = {one.instance_uuid: one for one in Migration.objects.filter(status__in=UNFINISHED)}
    for host in world.hosts:
        here = {one.uuid: one for one in servers if one.host == host.name}
        yield from _guests(host, here)
        asides = {uuid for uuid, one in moving.items() if one.source_compute == host.name}
        yield from _strays(host, here, asides | _only_copies(world, servers))
        yield from _rules(host)
    yield from _routers(world)


def _routers(world: World) -> Iterator[str]:
    """Every router lives somewhere, on one host, and its ports with it."""
    for router in Router.objects.filter(ports__isnull=False).distinct():
        there = {host.name for host in world.hosts if router.id in host.network.known()["routers"]}
        if there != {router.host} or router.ports.exclude(host=router.host).exists():
            yield f"router {router.id} of {router.host or 'no host'} is on {sorted(there) or 'none'}"


def _rules(host: FakeHost) -> Iterator[str]:
    """What a host has of its networks is what its document says."""
    lacks = host_documents.difference(host_documents.document(host.name), host.network.known())
    for part in PARTS:
        for key in (*getattr(lacks, part), *lacks.gone.get(part, ())):
            yield f"{host.name} does not have {key} of its {part} as it shall be"


def _guests(host: FakeHost, here: dict[str, Instance]) -> Iterator[str]:
    domains = host.domains()
    for uuid, server in here.items():
        if server.vm_state == states.ERROR or _is_told_lost(server):
            continue
        if uuid not in domains:
            yield f"{host.name} has no guest of {server.vm_state} server {uuid}"
        elif (domains[uuid] is PowerState.RUNNING) != _should_run(server):
            yield f"{server.vm_state} server {uuid} is {domains[uuid].name} on {host.name}"


def _is_told_lost(server: Instance) -> bool:
    """Tell whether a deleted server that is kept lost its disks, by an operator's word amid a delete, and says so."""
    faults = InstanceFault.objects.filter(instance_uuid=server.uuid, message__contains="cannot be restored")
    return server.vm_state == states.SOFT_DELETED and faults.exists()


def _should_run(server: Instance) -> bool:
    if server.vm_state == states.RESIZED:
        return server.power_state == PowerState.RUNNING
    return server.vm_state in _ON


def _only_copies(world: World, servers: list[Instance]) -> set[str]:
    """Servers that an operator's word amid a move left without their disks: those may be aside elsewhere."""
    disks = {host.name: host.storage.instances_with_disks() for host in world.hosts}
    broken = {one.uuid: disks.get(one.host, []) for one in servers if one.host and one.vm_state == states.ERROR}
    return {uuid for uuid, at_home in broken.items() if uuid not in at_home}


def _broken(here: dict[str, Instance]) -> set[str]:
    """Whoever takes a server out of ERROR may want what is aside."""
    return {uuid for uuid, server in here.items() if server.vm_state == states.ERROR}


def _strays(host: FakeHost, here: dict[str, Instance], asides: set[str]) -> Iterator[str]:
    ports = set(Port.objects.filter(host=host.name).values_list("id", flat=True))
    found = {
        "a guest": set(host.domains()) - set(here),
        "disks": set(host.storage.instances_with_disks()) - set(here),
        "an aside": set(host.storage.instances_aside()) - asides - _broken(here),
        "a tap": set(host.network.plugged_ports()) - ports,
    }
    for what, names in found.items():
        for name in sorted(names):
            yield f"{host.name} has {what} of {name}, which is not there"
    lost = [uuid for uuid, server in here.items() if _is_told_lost(server)]
    missing = set(Port.objects.filter(host=host.name, router=None).exclude(
        Q(device_id__in=Instance.objects.filter(Q(deleted=True) | Q(vm_state=states.ERROR)).values("uuid"))
        | Q(device_id__in=lost)
    ).values_list("id", flat=True)) - set(host.network.plugged_ports())
    for port_id in sorted(missing):
        yield f"{host.name} has no tap for port {port_id}"
