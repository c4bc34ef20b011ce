"""Absolute limits: quotas as a user's client reads them."""

from typing import Any

from cloud.compute.api.quota_schemas import LIMITS_QUERY, OF_SETS
from cloud.compute.services.quota_sets import limits_of, usages_of
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.microversions import version
from cloud.core.policy import enforce

_NO_IMAGE_METADATA = version("2.39")
# resource -> names of its limit, name of its usage
_NAMES: dict[str, tuple[tuple[str, ...], str]] = {
    "instances": (("maxTotalInstances",), "totalInstancesUsed"),
    "cores": (("maxTotalCores",), "totalCoresUsed"),
    "ram": (("maxTotalRAMSize",), "totalRAMUsed"),
    "key_pairs": (("maxTotalKeypairs",), ""),
    "metadata_items": (("maxServerMeta", "maxImageMeta"), ""),
    "server_groups": (("maxServerGroups",), "totalServerGroupsUsed"),
    "server_group_members": (("maxServerGroupMembers",), ""),
    "floating_ips": (("maxTotalFloatingIps",), "totalFloatingIpsUsed"),
    "security_groups": (("maxSecurityGroups",), "totalSecurityGroupsUsed"),
    "security_group_rules": (("maxSecurityGroupRules",), ""),
    "injected_files": (("maxPersonality",), ""),
    "injected_file_content_bytes": (("maxPersonalitySize",), ""),
}


@endpoint("os_compute_api:limits", query=LIMITS_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """Show the limits of the own project; admins may name another."""
    project_id = request.context.project_id
    if "tenant_id" in request.query:
        enforce(request.context, "os_compute_api:limits:other_project")
        project_id = request.query["tenant_id"]
    return {"limits": {"rate": [], "absolute": _absolute(request, project_id)}}


def _absolute(request: ApiRequest, project_id: str) -> dict[str, int]:
    limits, usages = limits_of(project_id), usages_of(project_id)
    view = {}
    for resource in OF_SETS.at(request.version):
        maxima, used = _NAMES.get(resource, ((), ""))
        view |= dict.fromkeys(maxima, limits[resource])
        if used:
            view[used] = usages[resource]
    if request.version >= _NO_IMAGE_METADATA:
        del view["maxImageMeta"]
    return view


ROUTES = [route("/limits", GET=index)]
