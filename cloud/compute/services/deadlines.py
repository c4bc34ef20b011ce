"""When what is under way has failed: a time that counts only while somebody can hear of it."""

from datetime import datetime, timedelta

from cloud.compute.models import Operation, Service, Step
from cloud.compute.models.operations import OperationState, StepState
from cloud.compute.services.graphs import TIMINGS
from cloud.compute.services.host_states import COMPUTE


def count_anew(now: datetime) -> int:
    """Give the steps under way the whole of their time from now; return how many operations have more of it.

    What is on a host that is down ends as it was to.
    """
    down = Service.objects.filter(binary=COMPUTE, is_up=False).values("host")
    waiting = Step.objects.filter(state=StepState.SENT, operation__state=OperationState.RUNNING)
    waiting = waiting.exclude(operation__host__in=down)
    count = 0
    for workflow, name in set(waiting.values_list("operation__workflow", "name")):
        deadline = now + timedelta(seconds=TIMINGS[workflow, name].deadline_seconds)
        steps = waiting.filter(operation__workflow=workflow, name=name, deadline__lt=deadline)
        rows = Operation.objects.filter(state=OperationState.RUNNING, deadline__lt=deadline)
        count += rows.filter(id__in=steps.values("operation_id")).update(deadline=deadline)
        steps.update(deadline=deadline)
    return count
