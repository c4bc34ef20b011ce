"""A copy of the live cloud for the simulator: hosts, the servers on them, flavors."""

from collections import defaultdict
from collections.abc import Iterator

from cloud.compute.models import Flavor, Instance, ServerGroupMember
from cloud.compute.services import boot_choices
from cloud.compute.services.host_states import host_states
from cloud.compute.services.server_placement import required_traits
from cloud.images.models import Image
from cloud.placement.models import Inventory
from cloud.placement.services.providers import DISK_GB, MEMORY_MB, VCPU
from contracts.inventory import LiveFlavor, LiveHost, LiveInventory, LiveServer
from contracts.scheduling import RequestSpec

# Resource class -> the fields of LiveHost for the amount and its ratio.
_FIELDS = {
    VCPU: ("vcpus", "vcpu_ratio"), MEMORY_MB: ("memory_mb", "memory_ratio"), DISK_GB: ("disk_gb", "disk_ratio"),
}  # fmt: skip
_BATCH = 2_000


def live_inventory() -> LiveInventory:
    """Return what there is now, from a number of queries that does not grow with it."""
    return LiveInventory(hosts=list(_hosts()), servers=list(_servers()), flavors=list(_flavors()))


def _hosts() -> Iterator[LiveHost]:
    amounts: dict[str, dict[str, float]] = defaultdict(dict)
    rows = Inventory.objects.filter(resource_class__in=_FIELDS).values_list(
        "provider__name", "resource_class", "total", "reserved", "allocation_ratio"
    )
    for host, name, total, reserved, ratio in rows:
        amount, ratio_field = _FIELDS[name]
        amounts[host] |= {amount: total - reserved, ratio_field: ratio}
    for state in host_states():
        yield LiveHost(state=state, **{"vcpus": 0, "memory_mb": 0, "disk_gb": 0, **amounts[state.host]})


def _servers() -> Iterator[LiveServer]:
    groups = dict(ServerGroupMember.objects.values_list("instance_uuid", "group__uuid"))
    rows = Instance.objects.filter(deleted=False).exclude(host="").order_by("id")
    columns = ("uuid", "display_name", "host", "flavor", "request_spec")
    for uuid, name, host, flavor, asked in rows.values_list(*columns).iterator(_BATCH):
        size = {one: flavor[one] for one in ("vcpus", "memory_mb", "disk_gb")}
        spec = RequestSpec.from_wire({**size, **asked})
        yield LiveServer(uuid=uuid, name=name, host=host, spec=spec, group=groups.get(uuid, ""))


def _flavors() -> Iterator[LiveFlavor]:
    for one in Flavor.objects.filter(is_disabled=False).order_by("vcpus", "memory_mb", "name"):
        spec = RequestSpec(
            vcpus=one.vcpus,
            memory_mb=one.memory_mb,
            disk_gb=boot_choices.disk_gb(one, Image(size=0)),
            required_traits=sorted(required_traits(one.extra_specs)),
        )
        yield LiveFlavor(name=one.name, spec=spec)
