"""Addresses of servers.

Source: https://docs.openstack.org/api-ref/compute/#servers-ips-servers-ips
"""

from typing import Any

from cloud.compute.api.schema_parts import NO_QUERY
from cloud.compute.api.server_values import addresses_of
from cloud.compute.selectors import servers
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import NotFound
from cloud.networks.selectors import interfaces


def _addresses(request: ApiRequest, server_id: str) -> dict[str, list[dict[str, Any]]]:
    instance = servers.get(request.context, server_id)
    return addresses_of(interfaces([instance.uuid]).get(instance.uuid, ()), is_extended=False)


@endpoint("os_compute_api:ips:index", query=NO_QUERY)
def index(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """List a server's addresses by network."""
    return {"addresses": _addresses(request, server_id)}


@endpoint("os_compute_api:ips:show", query=NO_QUERY)
def show(request: ApiRequest, server_id: str, network: str) -> dict[str, Any]:
    """Show a server's addresses in one network."""
    found = _addresses(request, server_id)
    if network not in found:
        raise NotFound("Instance is not a member of specified network")
    return {network: found[network]}


ROUTES = [
    route("/servers/<str:server_id>/ips", GET=index),
    route("/servers/<str:server_id>/ips/<str:network>", GET=show),
]
