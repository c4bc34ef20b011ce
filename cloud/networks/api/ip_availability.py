"""How full networks are. GET 200."""

from typing import Any

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.networks.api.collection import Body
from cloud.networks.errors import BadRequest, NetworkNotFound
from cloud.networks.selectors.availability import filter_names, ip_availability
from cloud.networks.selectors.filters import number
from cloud.networks.services.addresses import AddressPools


def view(network: dict[str, Any]) -> Body:
    """Return a network's body: the total is what its pools hold."""
    subnets = [
        {
            "subnet_id": subnet["id"],
            "subnet_name": subnet["name"],
            "cidr": subnet["cidr"],
            "ip_version": subnet["ip_version"],
            # Larger numbers than JSON can carry are not worth more than that they are large.
            "total_ips": min(AddressPools(subnet["pools"]).size, 2**63 - 1),
            "used_ips": subnet["used"],
        }
        for subnet in network["subnets"]
    ]
    return {
        "network_id": network["id"],
        "network_name": network["name"],
        "project_id": network["project_id"],
        "tenant_id": network["project_id"],
        "total_ips": min(sum(subnet["total_ips"] for subnet in subnets), 2**63 - 1),
        "used_ips": sum(subnet["used_ips"] for subnet in subnets),
        "subnet_ip_availability": subnets,
    }


@endpoint("get_network_ip_availability")
def index(request: ApiRequest) -> Body:
    """List how full networks are."""
    filters = dict(request.query.lists())
    unknown = sorted(set(filters) - filter_names())
    if unknown:
        raise BadRequest(f"{unknown} is invalid attribute for filtering")
    for text in filters.get("ip_version", ()):
        number("ip_version", text)
    return {"network_ip_availabilities": [view(network) for network in ip_availability(filters)]}


@endpoint("get_network_ip_availability")
def show(request: ApiRequest, network_id: str) -> Body:
    """Show how full a network is."""
    found = ip_availability({"network_id": [network_id]})
    if not found:
        raise NetworkNotFound(network_id=network_id)
    return {"network_ip_availability": view(found[0])}


ROUTES = [
    route("/v2.0/network-ip-availabilities", GET=index),
    route("/v2.0/network-ip-availabilities/<str:network_id>", GET=show),
]
