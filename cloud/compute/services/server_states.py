"""What may be changed of a server in which state, beside what the table of transitions says."""

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.core.errors import StateConflict

# In these states a server has what its owner may decorate: metadata and tags.
SETTLED = frozenset({states.ACTIVE, states.PAUSED, states.SUSPENDED, states.STOPPED})


def check_settled(instance: Instance, action: str) -> None:
    """Refuse to change a server that is being built or is broken. Raises StateConflict."""
    if instance.vm_state not in SETTLED:
        raise StateConflict(action=action, uuid=instance.uuid, attribute="vm_state", state=instance.vm_state)


def check_idle(instance: Instance, action: str) -> None:
    """Refuse to change a server to which something is being done. Raises StateConflict."""
    if instance.task_state:
        raise StateConflict(action=action, uuid=instance.uuid, attribute="task_state", state=instance.task_state)
