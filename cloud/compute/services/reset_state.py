"""Let an operator say what state a server is in."""

from django.db import transaction
from django.utils import timezone

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.compute.services import operations
from cloud.compute.states import machine
from cloud.core.clock import database_now

# What an operator may say -> event.
EVENTS = {states.ACTIVE: "reset_active", states.ERROR: "reset_error"}


def reset(instance: Instance, state: str) -> None:
    """Put a server in a state with nothing under way; what was under way is given up."""
    with transaction.atomic():
        machine.fire(Instance.objects.filter(pk=instance.pk), EVENTS[state], updated_at=timezone.now())
        operations.supersede([instance.uuid], "reset-state", database_now())
