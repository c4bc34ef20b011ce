"""Floating IPs, as Nova once passed them on from Neutron: up to 2.35. Leading them to servers is an action of those.

Source: https://docs.openstack.org/api-ref/compute/#floating-ips-os-floating-ips-deprecated
"""

from typing import Any

from cloud.compute.api.schema_parts import closed
from cloud.compute.errors.networks import FloatingIpPoolUnknown, NoFloatingIpLeft
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Forbidden, Invalid, NotFound
from cloud.networks.errors import IpAddressGenerationFailure, OverQuota
from cloud.networks.selectors import floating
from cloud.networks.selectors.floating import LedFloatingIp
from cloud.networks.services import floating_ips

_LAST = "2.35"
Body = dict[str, Any]
CREATE = closed({"pool": {"type": ["string", "null"], "maxLength": 255, "format": "printable"}})
CREATE["type"] = ["object", "null"]


def _view(one: LedFloatingIp) -> Body:
    return {"id": one.id, "ip": one.address, "pool": one.pool, "fixed_ip": one.fixed_ip or None,
            "instance_id": one.device_id or None}


def _find(request: ApiRequest, floating_ip_id: str) -> LedFloatingIp:
    found = floating.floating_ip(request.context, floating_ip_id)
    if found is None:
        raise NotFound(f"Floating IP not found for ID {floating_ip_id}")
    return found


@endpoint("os_compute_api:os-floating-ips:list", until=_LAST)
def index(request: ApiRequest) -> Body:
    """List floating IPs."""
    return {"floating_ips": [_view(one) for one in floating.floating_ips(request.context)]}


@endpoint("os_compute_api:os-floating-ips:show", until=_LAST)
def show(request: ApiRequest, id: str) -> Body:
    """Show a floating IP."""
    return {"floating_ip": _view(_find(request, id))}


@endpoint("os_compute_api:os-floating-ips:create", until=_LAST, body=CREATE)
def create(request: ApiRequest) -> Body:
    """Take a floating IP from an external network."""
    context = request.context
    if not context.project_id:
        raise Invalid("A floating IP belongs to a project, and the token is for none.")
    pool = floating.pool(context, (request.body or {}).get("pool") or "")
    if pool is None:
        raise FloatingIpPoolUnknown
    draft = {"floating_network_id": pool[0], "project_id": context.project_id}
    try:
        (made,) = floating_ips.create_floating_ips(context, [draft])
    except OverQuota as error:
        raise Forbidden(error.message) from error
    except IpAddressGenerationFailure as error:
        raise NoFloatingIpLeft(pool=pool[1]) from error
    return {"floating_ip": _view(_find(request, made))}


@endpoint("os_compute_api:os-floating-ips:delete", until=_LAST, status=202)
def delete(request: ApiRequest, id: str) -> None:
    """Give a floating IP back."""
    floating_ips.delete_floating_ip(request.context, _find(request, id).id)


ROUTES = [
    route("/os-floating-ips", GET=index, POST=create),
    route("/os-floating-ips/<str:id>", GET=show, DELETE=delete),
]
