"""`manage.py server_show ID|NAME`: a server, the graph of everything that was done to it, and why it is where it is."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime

from django.core.management.base import BaseCommand

from cloud.compute import states
from cloud.compute.management import placement_lines
from cloud.compute.management.find_server import find_server
from cloud.compute.management.operator import operator_context
from cloud.compute.management.step_tree import tree
from cloud.compute.models import Instance, InstanceFault, Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.selectors.step_graph import attempts_of
from cloud.compute.services import placement_reports
from cloud.compute.statuses import status_of
from cloud.core.clock import database_now
from cloud.core.presentation import NOTHING, duration
from cloud.networks.selectors import interfaces


class Command(BaseCommand):
    help = "Show a server, and the graph of steps and the placement of its operations, the latest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("server", help="its id, the beginning of its id, or its name")
        parser.add_argument("--operations", type=int, default=5, metavar="N", help="show the last N operations (5)")

    def handle(self, *, server: str, operations: int, **options: object) -> None:
        instance = find_server(server)
        now = database_now()
        for line in _summary(instance):
            self.stdout.write(line)
        rows = Operation.objects.filter(instance_uuid=instance.uuid).order_by("-started_at")
        for operation in rows[: max(operations, 0)]:
            self.stdout.write("")
            for line in _operation(operation, now):
                self.stdout.write(line)


def _summary(instance: Instance) -> Iterator[str]:
    flavor = instance.flavor
    addresses = [
        f"{address.ip} ({one.network_name})"
        for one in interfaces([instance.uuid]).get(instance.uuid, []) for address in one.addresses
    ]
    fault = InstanceFault.objects.filter(instance_uuid=instance.uuid).order_by("-id").first()
    doing = f", {instance.task_state}" if instance.task_state else ""
    rows = {
        "server": f"{instance.display_name}  {instance.uuid}  ({instance.name})",
        "status": f"{status_of(instance.vm_state, instance.task_state)}{doing}",
        "host": instance.host or NOTHING,
        "flavor": f"{flavor['name']}: {flavor['vcpus']} vCPU, {flavor['memory_mb']} MB, {flavor['disk_gb']} GB",
        "project": instance.project_id,
        "addresses": ", ".join(addresses) or NOTHING,
        "created": f"{instance.created_at:%Y-%m-%d %H:%M:%S} UTC",
    }
    if fault and instance.vm_state == states.ERROR:
        rows["fault"] = fault.details or fault.message
    return (f"{name:<10} {value}" for name, value in rows.items())


def _operation(operation: Operation, now: datetime) -> Iterator[str]:
    took = duration(((operation.finished_at or now) - operation.started_at).total_seconds())
    is_running = operation.state == OperationState.RUNNING
    how = f"running for {took}" if is_running else f"{operation.state} after {took}"
    yield f"{operation.action}  {how}  {operation.started_at:%Y-%m-%d %H:%M:%S}  {operation.request_id}"
    if operation.error_code:
        yield f"  {operation.error_code}: {operation.detail or operation.message}"
    yield from (f"  {line}" for line in tree(attempts_of(operation), now))
    for explained in placement_reports.of_operation(operator_context(), operation).decisions:
        yield from (f"  {line}" for line in placement_lines.lines(explained))
