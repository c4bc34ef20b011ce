"""The states of an instance and every way from one to another: read by API, conductor, admin, docs and tests.

`vm_state` is what an instance is, `task_state` what is being done to it ('' for nothing). Names are Nova's.
"""

from cloud.core.states import KEEP, Machine, Transition

BUILDING = "building"
ACTIVE = "active"
STOPPED = "stopped"
PAUSED = "paused"
SUSPENDED = "suspended"
RESIZED = "resized"
ERROR = "error"
SOFT_DELETED = "soft-delete"
DELETED = "deleted"

IDLE = ""
SCHEDULING = "scheduling"
NETWORKING = "networking"
SPAWNING = "spawning"
POWERING_OFF = "powering-off"
POWERING_ON = "powering-on"
REBOOTING = "rebooting"
REBOOTING_HARD = "rebooting_hard"
REBUILDING = "rebuilding"
REBUILD_SPAWNING = "rebuild_spawning"
RESIZE_PREP = "resize_prep"
RESIZE_MIGRATING = "resize_migrating"
RESIZE_FINISH = "resize_finish"
RESIZE_REVERTING = "resize_reverting"
RESIZE_CONFIRMING = "resize_confirming"
IMAGE_SNAPSHOT = "image_snapshot"
# Nova has no task state for these: see ADR 117.
INTERFACE_ATTACHING = "interface_attaching"
INTERFACE_DETACHING = "interface_detaching"
SOFT_DELETING = "soft-deleting"
RESTORING = "restoring"
DELETING = "deleting"

VM_STATES = frozenset({BUILDING, ACTIVE, STOPPED, PAUSED, SUSPENDED, RESIZED, ERROR, SOFT_DELETED, DELETED})
TASK_STATES = frozenset(
    {IDLE, SCHEDULING, NETWORKING, SPAWNING, POWERING_OFF, POWERING_ON, REBOOTING, REBOOTING_HARD, REBUILDING,
     REBUILD_SPAWNING, RESIZE_PREP, RESIZE_MIGRATING, RESIZE_FINISH, RESIZE_REVERTING, RESIZE_CONFIRMING,
     IMAGE_SNAPSHOT, INTERFACE_ATTACHING, INTERFACE_DETACHING, SOFT_DELETING, RESTORING, DELETING}
)  # fmt: skip
TRANSIENT = TASK_STATES - {IDLE}
BUILD_TASKS = frozenset({SCHEDULING, NETWORKING, SPAWNING})
REBUILD_TASKS = frozenset({REBUILDING, REBUILD_SPAWNING})
MOVE_TASKS = frozenset({RESIZE_PREP, RESIZE_MIGRATING, RESIZE_FINISH})
ALLOW_MOVE = frozenset({ACTIVE, STOPPED})
ALLOW_SNAPSHOT = frozenset({ACTIVE, STOPPED, PAUSED, SUSPENDED})
ALLOW_INTERFACES = frozenset({ACTIVE, STOPPED, PAUSED})
INTERFACE_TASKS = frozenset({INTERFACE_ATTACHING, INTERFACE_DETACHING})
ALLOW_REBUILD = frozenset({ACTIVE, STOPPED, ERROR})
ALLOW_EVACUATE = frozenset({ACTIVE, STOPPED, ERROR})
ALLOW_HARD_REBOOT = frozenset({ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR})
LIVE = VM_STATES - {DELETED}
# What can be kept when it is deleted: it is whole, and in one place. A disk on its way to another host, or being made
# anew, is nothing that could be brought back.
ALLOW_SOFT_DELETE = frozenset({ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR})
_WHOLE_TASKS = INTERFACE_TASKS | {IDLE, POWERING_OFF, POWERING_ON, REBOOTING, REBOOTING_HARD, IMAGE_SNAPSHOT}
WITH_GUEST = frozenset({ACTIVE, STOPPED, RESIZED, PAUSED, SUSPENDED})


def _row(event: str, vm_from: set[str] | frozenset[str], task_from: set[str] | frozenset[str], vm_to: str,
         task_to: str) -> Transition:
    return Transition(event, frozenset(vm_from), frozenset(task_from), vm_to, task_to)


TRANSITIONS = (
    # A build: placed, networked, spawned; sent back to the scheduler when a host failed it.
    _row("claim", {BUILDING}, {SCHEDULING, NETWORKING, SPAWNING}, KEEP, NETWORKING),
    _row("spawn", {BUILDING}, {NETWORKING, SPAWNING}, KEEP, SPAWNING),
    _row("reschedule", {BUILDING}, BUILD_TASKS, KEEP, SCHEDULING),
    _row("activate", {BUILDING}, BUILD_TASKS, ACTIVE, IDLE),
    _row("build_failed", {BUILDING}, BUILD_TASKS, ERROR, IDLE),
    # Power.
    _row("stop", {ACTIVE, ERROR}, {IDLE}, KEEP, POWERING_OFF),
    _row("stopped", LIVE, {POWERING_OFF}, STOPPED, IDLE),
    _row("start", {STOPPED}, {IDLE}, KEEP, POWERING_ON),
    _row("started", LIVE, {POWERING_ON}, ACTIVE, IDLE),
    _row("reboot", {ACTIVE}, {IDLE}, KEEP, REBOOTING),
    _row("reboot_hard", ALLOW_HARD_REBOOT, {IDLE, REBOOTING}, KEEP, REBOOTING_HARD),
    _row("rebooted", LIVE, {REBOOTING, REBOOTING_HARD}, ACTIVE, IDLE),
    _row("power_failed", LIVE, {POWERING_OFF, POWERING_ON, REBOOTING}, KEEP, IDLE),
    _row("reboot_failed", LIVE, {REBOOTING_HARD}, ERROR, IDLE),
    # A new disk from an image, which may have to be fetched first; what was off stays off.
    _row("rebuild", ALLOW_REBUILD, {IDLE}, KEEP, REBUILDING),
    _row("rebuild_spawn", LIVE, {REBUILDING}, KEEP, REBUILD_SPAWNING),
    _row("rebuilt", LIVE - {STOPPED}, REBUILD_TASKS, ACTIVE, IDLE),
    _row("rebuilt", {STOPPED}, REBUILD_TASKS, STOPPED, IDLE),
    _row("rebuild_failed", LIVE, REBUILD_TASKS, ERROR, IDLE),
    # The same on another host, because its own is dead: until one makes it nothing is lost.
    _row("evacuate", ALLOW_EVACUATE, {IDLE}, KEEP, REBUILDING),
    _row("evacuate_again", ALLOW_EVACUATE, REBUILD_TASKS, KEEP, REBUILDING),
    _row("evacuated_active", ALLOW_EVACUATE, {REBUILD_SPAWNING}, ACTIVE, IDLE),
    _row("evacuated_stopped", ALLOW_EVACUATE, {REBUILD_SPAWNING}, STOPPED, IDLE),
    _row("evacuate_refused", ALLOW_EVACUATE, {REBUILDING}, KEEP, IDLE),
    _row("evacuate_failed", LIVE, REBUILD_TASKS, ERROR, IDLE),
    # A copy of the disk, which leaves the server as it is.
    _row("snapshot", ALLOW_SNAPSHOT, {IDLE}, KEEP, IMAGE_SNAPSHOT),
    _row("snapshot_ended", LIVE, {IMAGE_SNAPSHOT}, KEEP, IDLE),
    # Another interface, or one less.
    _row("attach_interface", ALLOW_INTERFACES, {IDLE}, KEEP, INTERFACE_ATTACHING),
    _row("detach_interface", ALLOW_INTERFACES, {IDLE}, KEEP, INTERFACE_DETACHING),
    _row("interfaces_set", LIVE, INTERFACE_TASKS, KEEP, IDLE),
    # A move to another host, with another flavor or the same: claimed, set aside and sent, landed; what was off stays
    # off. Until the guest is set aside a failure leaves it as it was; later it is taken back.
    _row("move", ALLOW_MOVE, {IDLE}, KEEP, RESIZE_PREP),
    _row("move_claimed", ALLOW_MOVE, {RESIZE_PREP}, KEEP, RESIZE_MIGRATING),
    _row("move_sent", ALLOW_MOVE, {RESIZE_MIGRATING}, KEEP, RESIZE_FINISH),
    _row("moved", ALLOW_MOVE, {RESIZE_FINISH}, RESIZED, IDLE),
    _row("move_refused", ALLOW_MOVE, {RESIZE_PREP}, KEEP, IDLE),
    _row("move_failed", LIVE, MOVE_TASKS, ERROR, IDLE),
    _row("take_back", ALLOW_MOVE, MOVE_TASKS, KEEP, RESIZE_REVERTING),
    _row("confirm", {RESIZED}, {IDLE}, KEEP, RESIZE_CONFIRMING),
    _row("confirmed_active", {RESIZED}, {RESIZE_CONFIRMING}, ACTIVE, IDLE),
    _row("confirmed_stopped", {RESIZED}, {RESIZE_CONFIRMING}, STOPPED, IDLE),
    _row("confirm_failed", {RESIZED}, {RESIZE_CONFIRMING}, KEEP, IDLE),
    _row("revert", {RESIZED, ERROR}, {IDLE}, KEEP, RESIZE_REVERTING),
    _row("revert_refused", {RESIZED, ERROR}, {RESIZE_REVERTING}, KEEP, IDLE),
    _row("reverted_active", LIVE, {RESIZE_REVERTING}, ACTIVE, IDLE),
    _row("reverted_stopped", LIVE, {RESIZE_REVERTING}, STOPPED, IDLE),
    _row("revert_failed", LIVE, {RESIZE_REVERTING}, ERROR, IDLE),
    # Deleted, and kept for a while. A quota counts nothing of a soft-deleted server until it is being restored, so that
    # whoever gives that up goes by a state that counts.
    _row("soft_delete", ALLOW_SOFT_DELETE, _WHOLE_TASKS, KEEP, SOFT_DELETING),
    _row("soft_delete", {RESIZED}, {IDLE, RESIZE_CONFIRMING}, KEEP, SOFT_DELETING),
    _row("soft_delete", {SOFT_DELETED}, {RESTORING}, ACTIVE, SOFT_DELETING),
    _row("soft_deleted", LIVE, {SOFT_DELETING}, SOFT_DELETED, IDLE),
    _row("soft_delete_failed", LIVE, {SOFT_DELETING}, KEEP, IDLE),
    _row("restore", {SOFT_DELETED}, {IDLE}, KEEP, RESTORING),
    _row("restored", {SOFT_DELETED}, {RESTORING}, ACTIVE, IDLE),
    _row("restore_failed", {SOFT_DELETED}, {RESTORING}, KEEP, IDLE),
    # An operator's word.
    _row("reset_active", LIVE, TASK_STATES, ACTIVE, IDLE),
    _row("reset_error", LIVE, TASK_STATES, ERROR, IDLE),
    # What a host saw by itself.
    _row("seen_off", {ACTIVE}, {IDLE}, STOPPED, IDLE),
    _row("seen_on", {STOPPED}, {IDLE}, ACTIVE, IDLE),
    _row("guest_lost", WITH_GUEST, {IDLE}, ERROR, IDLE),
    # An end, possible at every moment.
    _row("delete", LIVE, TASK_STATES - {DELETING, RESTORING}, KEEP, DELETING),
    _row("delete", {SOFT_DELETED}, {RESTORING}, ACTIVE, DELETING),
    _row("deleted", LIVE, {DELETING}, DELETED, IDLE),
    _row("delete_failed", LIVE, {DELETING}, ERROR, IDLE),
)

machine = Machine(TRANSITIONS)


def is_counted(vm_state: str, task_state: str) -> bool:
    """Tell whether a living server in these states counts against its project's quota."""
    return vm_state != SOFT_DELETED or task_state == RESTORING
