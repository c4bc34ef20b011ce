"""A healthy cloud in the rows, and every breach of an invariant that the audit knows, ready to be sown."""

from datetime import timedelta

from cloud.compute.models import ComputeNode, Instance, InstanceTag, Operation, Step
from cloud.compute.services import operations
from cloud.conductor.steps.orders import claim_of
from cloud.core import rpc
from cloud.core.clock import database_now
from cloud.identity.models import QuotaUsage
from cloud.identity.services import quotas
from cloud.networks.models import HostNetworkState
from cloud.placement.models import Allocation, Inventory
from cloud.placement.services.claims import claim
from tests.factories.instances import PROJECT, make_context, make_host, make_instance


def healthy_cloud(monkeypatch) -> Instance:
    """Return a server that was built an hour ago on host a, which said so a moment ago. Nothing is really sent."""
    for name in ("build", "delete", "stop"):
        monkeypatch.setitem(rpc._workflows, name, lambda ids: [])
    make_host("a")
    make_host("b")
    now = database_now()
    instance = make_instance(host="a", vm_state="active", task_state="", updated_at=now - timedelta(hours=1))
    claim([claim_of(instance, "a")])
    quotas.reserve(PROJECT, {"instances": 1, "cores": 1, "ram": 512})
    (operation,) = operations.begin(make_context(), [instance], "create", "build")
    operations.finish(operation)
    Operation.objects.update(updated_at=now - timedelta(hours=1))
    say("a", domains=[instance.uuid], disks=[instance.uuid])
    say("b")
    return instance


def say(host: str, **residue: list[str]) -> None:
    ComputeNode.objects.filter(host=host).update(residue=residue, residue_at=database_now())


def begin(instance: Instance, **changes: object) -> Operation:
    (operation,) = operations.begin(make_context(), [instance], "stop", "stop")
    Operation.objects.filter(pk=operation.pk).update(**changes)
    return operation


def other_port() -> str:
    return "00000000-0000-4000-8000-000000000000"


BREACHES = {
    "an operation that nobody sends again": ({"I1"}, lambda s: begin(s, resend_at=None)),
    "an operation long past its deadline": (
        {"I1"}, lambda s: begin(s, deadline=database_now() - timedelta(minutes=5))
    ),
    "a task state without an operation": ({"I2"}, lambda s: Instance.objects.update(task_state="powering-off")),
    "a host that does not have its networks": ({"I5"}, lambda s: HostNetworkState.objects.create(host="a", wanted=1)),
    "a host that is promised twice": ({"I3"}, lambda s: Inventory.objects.filter(used=1).update(capacity=0)),
    "a sum that is wrong": ({"I3"}, lambda s: Inventory.objects.filter(provider__name="a").update(used=7)),
    "a claim of nobody": ({"I4"}, lambda s: Allocation.objects.update(consumer_uuid=other_port())),
    "a claim of the wrong size": (
        {"I4", "I3"}, lambda s: Allocation.objects.filter(resource_class="VCPU").update(used=2)
    ),
    "a guest that is missing": ({"I5"}, lambda s: say("a", disks=[s.uuid])),
    "a guest that nobody knows": ({"I5"}, lambda s: say("b", domains=[other_port()])),
    "a disk in the wrong place": ({"I5"}, lambda s: say("b", disks=[s.uuid])),
    "a tap without a port": ({"I5"}, lambda s: say("b", tap_port_ids=[other_port()])),
    "a lease without a port": ({"I5"}, lambda s: say("b", lease_port_ids=[other_port()])),
    "a server in two places": ({"I5", "I6"}, lambda s: say("b", domains=[s.uuid])),
    "a quota that forgot": ({"I7"}, lambda s: QuotaUsage.objects.filter(resource="ram").update(in_use=0)),
    "an end without a time": ({"I8"}, lambda s: Operation.objects.update(finished_at=None)),
    "a step that never ends": ({"I8"}, lambda s: Step.objects.filter(name="spawn_server").update(state="sent")),
    "a server of no request": ({"I9"}, lambda s: Operation.objects.update(action="stop")),
    "a deleted server with a tag": (
        {"I10"},
        lambda s: (
            InstanceTag.objects.create(instance_uuid=make_instance(deleted=True, vm_state="deleted").uuid, tag="t")
        ),
    ),
    "two operations at once": (
        {"I11"}, lambda s: Operation.objects.filter(pk=begin(make_copy(begin(s))).pk).update(instance_uuid=s.uuid)
    ),
}  # fmt: skip


def make_copy(operation: Operation) -> Instance:
    """Another instance, gone already, so that beginning its operation supersedes nothing."""
    return make_instance(deleted=True, vm_state="deleted")
