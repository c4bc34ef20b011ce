"""What a step of ours is called among the events of an action: Nova's name where Nova does the same.

Clients and people know Nova's names. A step without a counterpart there has a name of the same form: who did it,
then what. The action decides where Nova calls the same work differently.

Source: the events that nova/compute/manager.py, nova/conductor/manager.py and nova/compute/api.py record.
"""

from cloud.compute.services import graphs

NAMES: dict[str, str] = {
    graphs.SELECT: "conductor_select_destinations",
    graphs.CLAIM: "conductor_claim_destination",
    graphs.PREPARE_IMAGE: "compute_prepare_image",
    graphs.PLUG_VIFS: "compute_plug_vifs",
    graphs.SPAWN: "compute__do_build_and_run_instance",
    graphs.FINISH: "conductor_finish",
    graphs.DESTROY: "compute_terminate_instance",
    graphs.POWER: "compute_change_power",
    graphs.REBUILD: "compute_rebuild_instance",
    graphs.SNAPSHOT: "compute_snapshot_instance",
    graphs.SET_ASIDE: "compute_resize_instance",
    graphs.SEND_DISKS: "compute_send_disks",
    graphs.RECEIVE_DISKS: "compute_receive_disks",
    graphs.LAND: "compute_finish_resize",
    graphs.DROP_ASIDE: "compute_confirm_resize",
    graphs.VACATE: "compute_revert_resize",
    graphs.TAKE_BACK: "compute_finish_revert_resize",
    graphs.SET_INTERFACES: "compute_set_interfaces",
    graphs.LOCK: "api_lock",
    graphs.UNLOCK: "api_unlock",
}
_MOVE = {graphs.SELECT: "conductor_migrate_server", graphs.CLAIM: "compute_prep_resize"}
# Action -> the steps that Nova calls otherwise there.
NAMES_IN: dict[str, dict[str, str]] = {
    "create": {
        graphs.SELECT: "conductor_schedule_and_build_instances",
        # A host that failed the build lets go of what it made; the server goes on.
        graphs.DESTROY: "compute_clear_host",
    },
    "evacuate": {graphs.SELECT: "rebuild_server", graphs.DESTROY: "compute_clear_host"},
    "stop": {graphs.POWER: "compute_stop_instance"},
    "start": {graphs.POWER: "compute_start_instance"},
    "reboot": {graphs.POWER: "compute_reboot_instance"},
    "delete": {graphs.POWER: "compute_soft_delete_instance"},
    "restore": {graphs.POWER: "compute_restore_instance"},
    "attach_interface": {graphs.SET_INTERFACES: "compute_attach_interface"},
    "detach_interface": {graphs.SET_INTERFACES: "compute_detach_interface"},
    "resize": _MOVE,
    "migrate": _MOVE,
}


def event_name(action: str, step: str) -> str:
    """Return the name of a step's event in an action."""
    return NAMES_IN.get(action, {}).get(step) or NAMES[step]
