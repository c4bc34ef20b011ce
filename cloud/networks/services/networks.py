"""Networks made, changed and removed."""

from collections import Counter
from typing import Any

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import ExternalNetworkInUse, InvalidSharedSetting, NetworkInUse
from cloud.networks.models import Network, Port, ResourceTag, Subnet
from cloud.networks.selectors.owned import lock_network
from cloud.networks.services.changing import renamed, save_changes
from cloud.networks.services.floating_ips import delete_idle
from cloud.networks.services.quotas import make_room
from cloud.networks.services.router_gateways import is_external_in_use

DEFAULT_MTU = 1450
MAX_MTU = 9000
_COLUMNS = {"router:external": "is_external"}
_NO_COLUMNS = ("tenant_id", "availability_zone_hints")
_PORTS_NAMED = 5


def create_networks(wanted: list[dict[str, Any]]) -> list[str]:
    """Make networks, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        OverQuota
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "network", count)
        return [Network.objects.create(**_columns(item)).id for item in wanted]


def update_network(context: RequestContext, network_id: str, values: dict[str, Any]) -> None:
    """Change a network by the API's attributes.

    Raises:
        NetworkNotFound
        InvalidSharedSetting: it shall not be shared any more, but others stand in it.
        ExternalNetworkInUse: it shall not be external any more, but routers or floating addresses need it.
    """
    with transaction.atomic():
        network = lock_network(context, network_id)
        if network.shared and values.get("shared") is False and _used_by_others(network):
            raise InvalidSharedSetting(network_id=network_id)
        if network.is_external and values.get("router:external") is False and is_external_in_use(network):
            raise ExternalNetworkInUse(network_id=network_id)
        save_changes(network, _columns(values))


def delete_network(context: RequestContext, network_id: str) -> None:
    """Remove a network, its subnets and the floating addresses of it that lead nowhere.

    Raises:
        NetworkNotFound
        NetworkInUse: ports stand in it.
    """
    with transaction.atomic():
        network = lock_network(context, network_id)
        delete_idle(network)
        ports = list(Port.objects.filter(network=network).values_list("id", flat=True)[:_PORTS_NAMED])
        if ports:
            raise NetworkInUse(network_id=network_id, ports=", ".join(ports))
        gone = [network_id, *Subnet.objects.filter(network=network).values_list("id", flat=True)]
        ResourceTag.objects.filter(resource_id__in=gone).delete()
        network.delete()


def _used_by_others(network: Network) -> bool:
    others = [rows.exclude(project_id=network.project_id) for rows in (network.ports, network.subnets)]
    return any(rows.exists() for rows in others)


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    columns = renamed(values, _COLUMNS, without=_NO_COLUMNS)
    if columns.get("mtu") == 0:
        columns["mtu"] = DEFAULT_MTU
    return columns
