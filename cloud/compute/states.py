"""The states of an instance and every way from one to another: read by API, conductor, admin, docs and tests.

`vm_state` is what an instance is, `task_state` what is being done to it ('' for nothing). Names are Nova's.
"""

from cloud.core.states import KEEP, Machine, Transition

BUILDING = "building"
ACTIVE = "active"
STOPPED = "stopped"
PAUSED = "paused"
SUSPENDED = "suspended"
ERROR = "error"
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
DELETING = "deleting"

VM_STATES = frozenset({BUILDING, ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR, DELETED})
TASK_STATES = frozenset(
    {IDLE, SCHEDULING, NETWORKING, SPAWNING, POWERING_OFF, POWERING_ON, REBOOTING, REBOOTING_HARD, REBUILDING,
     REBUILD_SPAWNING, DELETING}
)  # fmt: skip
TRANSIENT = TASK_STATES - {IDLE}
BUILD_TASKS = frozenset({SCHEDULING, NETWORKING, SPAWNING})
REBUILD_TASKS = frozenset({REBUILDING, REBUILD_SPAWNING})
ALLOW_REBUILD = frozenset({ACTIVE, STOPPED, ERROR})
ALLOW_HARD_REBOOT = frozenset({ACTIVE, STOPPED, PAUSED, SUSPENDED, ERROR})
LIVE = VM_STATES - {DELETED}


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
    # An operator's word.
    _row("reset_active", LIVE, TASK_STATES, ACTIVE, IDLE),
    _row("reset_error", LIVE, TASK_STATES, ERROR, IDLE),
    # What a host saw by itself.
    _row("seen_off", {ACTIVE}, {IDLE}, STOPPED, IDLE),
    _row("seen_on", {STOPPED}, {IDLE}, ACTIVE, IDLE),
    # An end, possible at every moment.
    _row("delete", LIVE, TASK_STATES - {DELETING}, KEEP, DELETING),
    _row("deleted", LIVE, {DELETING}, DELETED, IDLE),
    _row("delete_failed", LIVE, {DELETING}, ERROR, IDLE),
)

machine = Machine(TRANSITIONS)
