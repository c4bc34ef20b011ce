"""Where a server may go: what flavor, image, zone and scheduler hints together ask of a host."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cloud.compute.errors import UnfitHost, UnknownHost, UnknownServerGroup, UnknownZone
from cloud.compute.models import Aggregate, ComputeNode, Flavor, ServerGroup
from cloud.compute.selectors.servers import visible
from cloud.compute.selectors.zones import DEFAULT_ZONE, ZONE_KEY
from cloud.compute.services import boot_choices
from cloud.compute.services.server_request import ServerRequest
from cloud.core import policy
from cloud.core.context import RequestContext
from cloud.core.errors import Forbidden, Invalid
from cloud.identity.services import quotas
from cloud.images.models import Image
from contracts.scheduling import HostState, RequestSpec, satisfying

# What a host must match -> the image properties that say so, the newer name first.
_IMAGE_WORDS = {
    "architecture": ("hw_architecture", "architecture"),
    "hypervisor_type": ("img_hv_type", "hypervisor_type"),
    "vm_mode": ("hw_vm_mode", "vm_mode"),
}
_TRAIT = "trait:"


@dataclass(frozen=True)
class Placement:
    """Where servers may go, and the group that they join."""

    spec: RequestSpec
    availability_zone: str = ""
    group: ServerGroup | None = None


def plan(context: RequestContext, request: ServerRequest, flavor: Flavor, image: Image) -> Placement:
    """Return what a request asks of a host.

    Raises:
        Invalid, Forbidden, QuotaExceeded: an unknown zone, host, group or server, or one that is not to be named.
    """
    zone, host = _zone_and_host(context, request)
    group = _group(context, request.hints, request.max_count)
    hints = request.hints
    spec = RequestSpec(
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        disk_gb=boot_choices.disk_gb(flavor, image),
        availability_zone=zone,
        group_policy=group.policy if group else "",
        max_per_host=int(group.rules.get("max_server_per_host", 1)) if group else 1,
        image_properties=_image_words(image.properties),
        required_traits=sorted({*required_traits(flavor.extra_specs), *required_traits(image.properties)}),
        requested_host=host,
        same_hosts=_hosts_of(context, hints.get("same_host"), is_required=True),
        different_hosts=_hosts_of(context, hints.get("different_host"), is_required=False),
    )
    return Placement(spec, zone, group)


def with_image(spec: RequestSpec, flavor: Flavor, image: Image) -> RequestSpec:
    """Return what a server asks of its host once it is made from another image.

    What it holds never shrinks: its old disk stays there where the new one cannot be made.
    """
    return msgspec.structs.replace(
        spec,
        disk_gb=max(spec.disk_gb, boot_choices.disk_gb(flavor, image)),
        image_properties=_image_words(image.properties),
        required_traits=sorted({*required_traits(flavor.extra_specs), *required_traits(image.properties)}),
    )


def with_flavor(spec: RequestSpec, flavor: Flavor, image: Image | None) -> RequestSpec:
    """Return what a server asks of a host once it has another flavor; `image` is None where it is gone.

    Whoever forced it to a host did so for its first day.
    """
    disk_gb = boot_choices.disk_gb(flavor, image or Image(size=0))
    return msgspec.structs.replace(
        spec,
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mb,
        disk_gb=disk_gb if flavor.disk_gb else max(disk_gb, spec.disk_gb),
        required_traits=sorted({
            *required_traits(flavor.extra_specs), *(required_traits(image.properties) if image else ())
        }),
        requested_host="",
    )


def check_fit(host: HostState, spec: RequestSpec) -> None:
    """Refuse, as far as image and traits go, what the scheduler would not put on a host. Raises UnfitHost."""
    words = [
        f"{name} {word}"
        for name, word in sorted(spec.image_properties.items())
        if getattr(host, name).lower() not in satisfying(word)
    ]
    traits = sorted(set(spec.required_traits) - set(host.traits))
    if words or traits:
        raise UnfitHost(wanted=", ".join([*words, *traits]))


def _zone_and_host(context: RequestContext, request: ServerRequest) -> tuple[str, str]:
    zone, forced, node = (*request.availability_zone.split(":", 2), "", "")[:3]
    if forced or node:
        policy.enforce(context, "os_compute_api:servers:create:forced_host")
        if request.host or request.node:
            raise Invalid("Destination host cannot be specified both in availability_zone and as host.")
    elif request.host or request.node:
        policy.enforce(context, "compute:servers:create:requested_destination")
    if zone:
        check_zone(zone)
    return zone, _host(forced or request.host, node or request.node)


def check_zone(zone: str) -> None:
    """Refuse a zone that no aggregate makes. Raises UnknownZone."""
    if zone != DEFAULT_ZONE and not Aggregate.objects.filter(**{f"metadata__{ZONE_KEY}": zone}).exists():
        raise UnknownZone


def _host(host: str, node: str) -> str:
    if not host and not node:
        return ""
    rows = ComputeNode.objects.filter(**{
        column: value for column, value in (("host", host), ("hypervisor_hostname", node)) if value
    })  # fmt: skip
    found = rows.values_list("host", flat=True).first()
    if found is None:
        raise UnknownHost(host=host or node)
    return found


def _group(context: RequestContext, hints: Mapping[str, Any], count: int) -> ServerGroup | None:
    named = _texts(hints.get("group"))
    if not named:
        return None
    if len(named) > 1:
        raise Invalid("A server can be in one server group only.")
    # Locked, so that two requests do not both take the group's last place.
    rows = ServerGroup.objects.select_for_update().filter(uuid=named[0])
    found = (rows if context.is_admin else rows.filter(project_id=context.project_id)).first()
    if found is None:
        raise UnknownServerGroup(group_id=named[0])
    limit = quotas.limits(context.project_id, ("server_group_members",))["server_group_members"]
    if 0 <= limit < found.members.count() + count:
        raise Forbidden("Quota exceeded, too many servers in group")
    return found


def _hosts_of(context: RequestContext, named: Any, *, is_required: bool) -> list[str]:
    """Return the hosts of the servers that a hint names, of those the context may see."""
    uuids = _texts(named)
    if not uuids:
        return []
    hosts = visible(context).filter(uuid__in=uuids).exclude(host="").values_list("host", flat=True)
    found = sorted(set(hosts))
    if is_required and not found:
        raise Invalid("None of the servers of the hint same_host is on a host.")
    return found


def _texts(named: Any) -> list[str]:
    return [named] if isinstance(named, str) else list(named or ())


def _image_words(properties: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for word, names in _IMAGE_WORDS.items():
        value = next((properties[name] for name in names if properties.get(name)), "")
        if value:
            found[word] = str(value)
    return found


def required_traits(specs: Mapping[str, Any]) -> Iterable[str]:
    """Return the traits that a flavor's extra specs, or an image's properties, ask of a host."""
    wanted = (name for name, value in specs.items() if name.startswith(_TRAIT) and value == "required")
    return (name.removeprefix(_TRAIT) for name in wanted)


