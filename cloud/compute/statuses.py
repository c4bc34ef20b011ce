"""What clients see of a server's two states: one word.

Source: https://docs.openstack.org/api-guide/compute/server_concepts.html#server-status
"""

from cloud.compute import states

# vm_state -> its word when nothing is under way, or something that does not show.
PLAIN: dict[str, str] = {
    states.BUILDING: "BUILD",
    states.ACTIVE: "ACTIVE",
    states.STOPPED: "SHUTOFF",
    states.PAUSED: "PAUSED",
    states.SUSPENDED: "SUSPENDED",
    states.RESIZED: "VERIFY_RESIZE",
    states.ERROR: "ERROR",
    states.SOFT_DELETED: "SOFT_DELETED",
    states.DELETED: "DELETED",
}
# (vm_state, task_state) -> the word while that is under way.
UNDER_WAY: dict[tuple[str, str], str] = {
    (states.ACTIVE, states.REBOOTING): "REBOOT",
    (states.ACTIVE, states.REBOOTING_HARD): "HARD_REBOOT",
    **{(vm_state, task): "RESIZE" for vm_state in states.ALLOW_MOVE for task in states.MOVE_TASKS},
    **{(vm_state, states.RESIZE_REVERTING): "REVERT_RESIZE" for vm_state in states.LIVE},
    **{(vm_state, task): "REBUILD" for vm_state in states.ALLOW_REBUILD for task in states.REBUILD_TASKS},
}
# Words that clients may filter by, though no server here can bear them yet.
_NOT_YET = frozenset({"MIGRATING", "PASSWORD", "RESCUE", "SHELVED", "SHELVED_OFFLOADED"})
KNOWN = frozenset(PLAIN.values()) | frozenset(UNDER_WAY.values()) | _NOT_YET
UNKNOWN = "UNKNOWN"


def status_of(vm_state: str, task_state: str) -> str:
    """Return the word for a pair of states."""
    return UNDER_WAY.get((vm_state, task_state)) or PLAIN.get(vm_state, UNKNOWN)


def states_of(status: str) -> list[tuple[str, frozenset[str]]]:
    """Return the states that a word stands for: pairs of a vm_state and its task states; none for an unknown word."""
    found = []
    for vm_state in sorted(PLAIN):
        tasks = frozenset(task for task in states.TASK_STATES if status_of(vm_state, task) == status)
        if tasks:
            found.append((vm_state, tasks))
    return found
