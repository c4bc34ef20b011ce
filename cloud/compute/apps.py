"""Django app of the compute domain."""

from django.apps import AppConfig


class ComputeConfig(AppConfig):
    """The compute domain."""

    name = "cloud.compute"
    label = "compute"

    def ready(self) -> None:
        from cloud.compute.api import policies  # noqa: F401  importing it fills the policy table
        from cloud.compute.selectors.host_underlays import host_tunnels, host_underlays
        from cloud.compute.selectors.network_agents import network_agents
        from cloud.compute.selectors.router_hosts import router_hosts
        from cloud.compute.services import leaving_ports
        from cloud.compute.services.keyring import key_of
        from cloud.core import rpc
        from cloud.networks.selectors import agents, hosts, underlay
        from cloud.networks.services import leaving

        rpc.register_keys(key_of)
        agents.register(network_agents)
        hosts.register(router_hosts)
        underlay.register(host_underlays, host_tunnels)
        leaving.register(leaving_ports.detach)
