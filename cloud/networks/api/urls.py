"""Routes of the Network API v2.0. A new kind of resource is one module with its ROUTES."""

from cloud.core.http import patterns, unknown_path
from cloud.networks.api import (
    address_scopes,
    agent_places,
    agents,
    auto_topologies,
    discovery,
    floating_ips,
    host_networks,
    ip_availability,
    networks,
    ports,
    qos_policies,
    quotas,
    rbac_policies,
    routers,
    security_group_rules,
    security_groups,
    subnet_pools,
    subnets,
    tags,
)
from cloud.networks.api.service import SERVICE

ROUTES = [
    route
    for module in (
        discovery, agents, agent_places, networks, subnets, subnet_pools, address_scopes, ports, routers, floating_ips,
        security_groups, security_group_rules, tags, quotas, ip_availability, rbac_policies, qos_policies,
        auto_topologies, host_networks,
    )
    for route in module.ROUTES
]
urlpatterns = [*patterns(SERVICE, ROUTES), unknown_path(SERVICE)]
