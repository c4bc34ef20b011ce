"""What agents and the scheduler tell the conductor, and the names of the conductor's steps."""

from typing import ClassVar

from contracts.envelope import Message


class HostReport(Message, frozen=True, kw_only=True):
    """A host's heartbeat and inventory: constant in size, whole each time, so that a lost one does no harm.

    Totals are what the machine has, before ratios. `reported_at`: seconds since the epoch on the control plane's
    clock, as the host knows it; compared with earlier reports of the same host, to drop one that overtook another.
    `release`: of the contracts that the host speaks; agents of the first release did not say.
    `clock_offset_seconds`: how far the host's own clock is ahead of that. `troubles`: sentences for operators on why
    the host can take no new server now; where they keep it from knowing its inventory, the totals are 0 and the last
    ones stand. `tunnel_ip`: where other hosts reach its VXLAN networks; empty where it has none. `physical_networks`:
    the names of the wires that it has; `network_types`: what its kernel can carry, nothing from an agent that does not
    say. `signature`: see contracts.signing.
    """

    NAME: ClassVar[str] = "conductor.v1.report_host"
    host: str
    reported_at: float
    started_at: float = 0.0
    release: int = 1
    hypervisor_hostname: str = ""
    hypervisor_type: str = "QEMU"
    hypervisor_version: int = 0
    host_ip: str = "127.0.0.1"
    architecture: str = "x86_64"
    cpu_model: str = ""
    cpu_vendor: str = ""
    cpu_sockets: int = 1
    cpu_cores: int = 1
    cpu_threads: int = 1
    cpu_features: list[str] = []
    vcpus: int = 0
    memory_mb: int = 0
    disk_gb: int = 0
    memory_mb_free: int = 0
    disk_gb_free: int = 0
    running_vms: int = 0
    load_average: str = "0.00, 0.00, 0.00"
    uptime_text: str = ""
    traits: list[str] = []
    cached_images: list[str] = []
    clock_offset_seconds: float = 0.0
    troubles: list[str] = []
    tunnel_ip: str = ""
    physical_networks: list[str] = []
    network_types: list[str] = []
    signature: str = ""


class InstancePower(Message, frozen=True, kw_only=True):
    """The power state that a host saw for one domain."""

    instance_uuid: str
    power_state: int


class PowerReport(Message, frozen=True, kw_only=True):
    """Every domain of a host (`is_full`), or those that changed. Domains that are not ours are not named."""

    NAME: ClassVar[str] = "conductor.v1.report_power_states"
    host: str
    reported_at: float
    instances: list[InstancePower]
    is_full: bool = False
    signature: str = ""


# What is on a host, for the audit: every domain, disk, tap and lease that carries our mark.
class Residue(Message, frozen=True, kw_only=True):
    """The things on a host that belong to instances, by instance uuid or port id; `plugged` have taps."""

    NAME: ClassVar[str] = "conductor.v1.report_residue"
    host: str
    reported_at: float
    domains: list[str] = []
    disks: list[str] = []
    asides: list[str] = []
    plugged: list[str] = []
    tap_port_ids: list[str] = []
    lease_port_ids: list[str] = []
    metadata_port_ids: list[str] = []
    signature: str = ""


# Steps and entry points. What of them hosts may ask for stands in contracts.inbound.
NOTE_NETWORKS = "conductor.v1.note_networks"
NOTE_OUTCOME = "conductor.v1.note_outcome"
TAKE_ANSWER = "conductor.v1.take_answer"
CLAIM = "conductor.v1.claim_destinations"
BEGIN_SPAWN = "conductor.v1.begin_spawn"
FINISH_SPAWN = "conductor.v1.finish_spawn"
FINISH_CLEARING = "conductor.v1.finish_clearing"
FINISH_DELETE = "conductor.v1.finish_delete"
FINISH_POWER = "conductor.v1.finish_power"
FINISH_SOFT_DELETE = "conductor.v1.finish_soft_delete"
FINISH_RESTORE = "conductor.v1.finish_restore"
BEGIN_REBUILD = "conductor.v1.begin_rebuild"
FINISH_REBUILD = "conductor.v1.finish_rebuild"
CLAIM_MOVE = "conductor.v1.claim_move"
BEGIN_SEND = "conductor.v1.begin_send"
BEGIN_RECEIVE = "conductor.v1.begin_receive"
BEGIN_LAND = "conductor.v1.begin_land"
FINISH_MOVE = "conductor.v1.finish_move"
FINISH_CONFIRM = "conductor.v1.finish_confirm"
BEGIN_TAKE_BACK = "conductor.v1.begin_take_back"
FINISH_REVERT = "conductor.v1.finish_revert"
CLAIM_EVACUATION = "conductor.v1.claim_evacuation"
BEGIN_EVACUATION = "conductor.v1.begin_evacuation"
FINISH_EVACUATION = "conductor.v1.finish_evacuation"
LEAVE_HOST = "conductor.v1.leave_host"
FINISH_INTERFACES = "conductor.v1.finish_interfaces"
FINISH_SNAPSHOT = "conductor.v1.finish_snapshot"
FAIL_OPERATION = "conductor.v1.fail_operation"
SEND_HOST_SNAPSHOT = "conductor.v1.send_host_snapshot"
RECONCILE_OPERATIONS = "conductor.v1.reconcile_operations"
RECONCILE_HOSTS = "conductor.v1.reconcile_hosts"
RECLAIM = "conductor.v1.reclaim_deleted"
SWEEP = "conductor.v1.sweep_books"
PRUNE = "conductor.v1.prune"
