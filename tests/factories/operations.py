"""Operations with their graphs, for tests of what people see of them."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from cloud.compute.models import Instance, Operation
from cloud.compute.models.operations import StepState
from cloud.compute.services import operations, step_rows
from cloud.core.clock import database_now
from tests.factories.instances import make_context


def begin_build(instance: Instance) -> Operation:
    """A build that was recorded and launched, nothing of it done; outside of a commit nobody is told."""
    with transaction.atomic():
        return operations.begin(make_context(), [instance], "create", "build")[0]


def move_to_spawning(operation: Operation, host: str = "h1") -> None:
    """As far as a build stands while its host starts the guest."""
    operation.host = host
    Operation.objects.filter(pk=operation.pk).update(host=host)
    done = dict.fromkeys(("select_destinations", "claim_destination", "prepare_image", "plug_vifs"), StepState.DONE)
    now = database_now()
    step_rows.move([operation], done, now, hosts=True)
    step_rows.move([operation], {"spawn_server": StepState.SENT}, now, hosts=True)


def failed_build(instance: Instance, detail: str = "h1: qemu said no") -> Operation:
    """A build that failed while its host started the guest."""
    operation = begin_build(instance)
    move_to_spawning(operation)
    operations.fail(operation, "HypervisorError", "The hypervisor could not carry out the request.", detail)
    return operation


def age(operation: Operation, seconds: float) -> None:
    """Let an operation have begun so many seconds ago."""
    Operation.objects.filter(pk=operation.pk).update(started_at=timezone.now() - timedelta(seconds=seconds))
