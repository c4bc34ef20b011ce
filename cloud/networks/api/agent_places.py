"""Which hosts carry a router or serve a network's guests, and what one of them has. GET 200.

A router lives on the host that was chosen for it, and each host answers DHCP to its own guests: nobody assigns either.

Source: https://docs.openstack.org/api-ref/network/v2/#l3-agent-scheduler
"""

from collections.abc import Collection as Several
from dataclasses import replace

from django.db.models import QuerySet

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.networks.api import agents
from cloud.networks.api.collection import Body, Collection, listed
from cloud.networks.api.networks import NETWORKS
from cloud.networks.api.routers import ROUTERS
from cloud.networks.models import Network, Port, Router
from cloud.networks.models.device_owners import SERVICE


def _on(hosts: Several[str]) -> Body:
    return {"agents": [agents.view(one) for one in agents.agents() if one.host in hosts]}


def _guests() -> QuerySet[Port]:
    """Return the ports to which their hosts answer DHCP."""
    ports = Port.objects.filter(is_leaving=False, network__subnets__enable_dhcp=True).exclude(host="")
    return ports.exclude(device_owner__startswith=SERVICE)


def _some(request: ApiRequest, kind: Collection, ids: QuerySet[Router] | QuerySet[Port]) -> Body:
    return listed(request, replace(kind, visible=lambda context: kind.visible(context).filter(id__in=ids)))


@endpoint("get_l3-agents")
def of_router(request: ApiRequest, router_id: str) -> Body:
    """List the agent that has a router; none for a router without ports."""
    found = Router.objects.filter(id=router_id).first()
    if found is None:
        raise ROUTERS.not_found(router_id)
    return _on([found.host])


@endpoint("get_l3-routers")
def routers_of(request: ApiRequest, agent_id: str) -> Body:
    """List the routers that an agent has."""
    host = agents.found(agent_id).host
    return _some(request, ROUTERS, Router.objects.filter(host=host).values("id"))


@endpoint("get_dhcp-agents")
def of_network(request: ApiRequest, network_id: str) -> Body:
    """List the agents that answer the guests of a network."""
    if not Network.objects.filter(id=network_id).exists():
        raise NETWORKS.not_found(network_id)
    return _on(set(_guests().filter(network_id=network_id).values_list("host", flat=True)))


@endpoint("get_dhcp-networks")
def networks_of(request: ApiRequest, agent_id: str) -> Body:
    """List the networks whose guests an agent answers."""
    host = agents.found(agent_id).host
    return _some(request, NETWORKS, _guests().filter(host=host).values("network_id"))


ROUTES = [
    route("/v2.0/routers/<str:router_id>/l3-agents", GET=of_router),
    route("/v2.0/agents/<str:agent_id>/l3-routers", GET=routers_of),
    route("/v2.0/networks/<str:network_id>/dhcp-agents", GET=of_network),
    route("/v2.0/agents/<str:agent_id>/dhcp-networks", GET=networks_of),
]
