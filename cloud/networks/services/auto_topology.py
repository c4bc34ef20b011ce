"""A network for a project that asks for any: made once, with subnets from the default pools and a router outwards.

Source: https://docs.openstack.org/neutron/latest/admin/config-auto-allocation.html
"""

from dataclasses import replace

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.core.errors import CloudError
from cloud.networks.errors import AutoAllocationFailure, TopologyNotFound
from cloud.networks.models import AutoTopology, Network, NetworkQuota, SubnetPool
from cloud.networks.selectors.routing import interfaces
from cloud.networks.services import networks, router_interfaces, routers, subnets


def find(project_id: str) -> str | None:
    """Return the id of the network that was made for a project, or None."""
    return AutoTopology.objects.filter(project_id=project_id).values_list("network_id", flat=True).first()


def check(project_id: str) -> None:
    """Make sure that a project could get its network. Raises AutoAllocationFailure."""
    if find(project_id) is None:
        _requirements()


def ensure(context: RequestContext, project_id: str) -> str:
    """Return the id of the project's network, made with all that belongs to it if there is none.

    Raises:
        AutoAllocationFailure: an operator has not named a default external network or a default subnet pool, or
            the project may not have so much.
    """
    with transaction.atomic():
        # Whoever asks for the same project at the same time waits here, and finds it made.
        NetworkQuota.objects.get_or_create(project_id=project_id)
        NetworkQuota.objects.select_for_update().get(project_id=project_id)
        found = find(project_id)
        if found is not None:
            return found
        outside, versions = _requirements()
        try:
            with transaction.atomic():
                return _make(replace(context, project_id=project_id), outside, versions)
        except CloudError as error:
            raise AutoAllocationFailure(reason=error.message.rstrip(".")) from error


def delete(context: RequestContext, project_id: str) -> None:
    """Remove what was made for a project. Raises TopologyNotFound, and NetworkInUse while ports stand in it."""
    with transaction.atomic():
        topology = AutoTopology.objects.select_for_update().filter(project_id=project_id).first()
        if topology is None:
            raise TopologyNotFound(project_id=project_id)
        router = topology.router
        if router is not None:
            for port in interfaces(router).filter(network=topology.network_id):
                router_interfaces.remove_interface(context, router.id, port.id)
            routers.delete_router(context, router.id)
        networks.delete_network(context, topology.network_id)


def _requirements() -> tuple[Network, list[int]]:
    outside = Network.objects.filter(is_external=True, is_default=True).first()
    if outside is None:
        raise AutoAllocationFailure(reason="No default router:external network")
    pools = SubnetPool.objects.filter(is_default=True).order_by("ip_version")
    versions = list(pools.values_list("ip_version", flat=True))
    if not versions:
        raise AutoAllocationFailure(reason="No default subnetpools defined")
    return outside, versions


def _make(context: RequestContext, outside: Network, versions: list[int]) -> str:
    owner = {"project_id": context.project_id}
    (network_id,) = networks.create_networks(context, [{**owner, "name": "auto_allocated_network"}])
    wanted = [{**owner, "name": f"auto_allocated_subnet_v{version}", "network_id": network_id, "ip_version": version,
               "use_default_subnetpool": True} for version in versions]
    made = subnets.create_subnets(context, wanted)
    gateway = {"network_id": outside.id}
    (router_id,) = routers.create_routers(
        context, [{**owner, "name": "auto_allocated_router", "external_gateway_info": gateway}]
    )
    for subnet_id in made:
        router_interfaces.add_subnet(context, router_id, subnet_id)
    AutoTopology.objects.create(project_id=context.project_id, network_id=network_id, router_id=router_id)
    return network_id
