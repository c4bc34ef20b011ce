"""Networks made, changed and removed."""

from collections import Counter
from typing import Any

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import (
    DefaultExternalNetworkExists,
    ExternalNetworkInUse,
    InvalidInput,
    InvalidSharedSetting,
    NetworkInUse,
)
from cloud.networks.models import Network, Port, ResourceTag, Subnet
from cloud.networks.selectors.owned import lock_network
from cloud.networks.services import changes, qos, rbac, segments
from cloud.networks.services.changing import renamed, save_changes
from cloud.networks.services.floating_ips import delete_idle
from cloud.networks.services.quotas import make_room
from cloud.networks.services.router_gateways import is_external_in_use

_COLUMNS = {"router:external": "is_external"}
_NO_COLUMNS = ("tenant_id", "availability_zone_hints", *segments.ATTRIBUTES)
_PORTS_NAMED = 5
_TOLD_TO_HOSTS = frozenset({"admin_state_up", "qos_policy_id"})


def create_networks(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make networks, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        OverQuota
        InvalidInput, and what `segments.insert_network` raises: nothing can carry such a network.
        QosPolicyNotFound, DefaultExternalNetworkExists
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "network", count)
        return [_create(context, item) for item in wanted]


def update_network(context: RequestContext, network_id: str, values: dict[str, Any]) -> None:
    """Change a network by the API's attributes.

    Raises:
        NetworkNotFound
        InvalidInput: another network would be another's; the MTU is too large.
        InvalidSharedSetting: it shall not be shared any more, but others stand in it.
        QosPolicyNotFound, DefaultExternalNetworkExists
        ExternalNetworkInUse: it shall not be external any more, but routers or floating addresses need it.
    """
    with transaction.atomic():
        network = lock_network(context, network_id)
        _refuse_another_segment(network, values)
        if network.shared and values.get("shared") is False and _used_by_others(network):
            raise InvalidSharedSetting(network_id=network_id)
        if network.is_external and values.get("router:external") is False and is_external_in_use(network):
            raise ExternalNetworkInUse(network_id=network_id)
        if "qos_policy_id" in values:
            qos.usable(context, values["qos_policy_id"])
        _refuse_another_default(values.get("is_default", False), network.id)
        save_changes(network, _columns(values, network.network_type))
        if values.keys() & _TOLD_TO_HOSTS:
            changes.note([changes.of_network(network_id)])


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
        rbac.forget([network_id])
        network.delete()


def _used_by_others(network: Network) -> bool:
    others = [rows.exclude(project_id=network.project_id) for rows in (network.ports, network.subnets)]
    return any(rows.exists() for rows in others)


def _create(context: RequestContext, item: dict[str, Any]) -> str:
    asked = segments.read_segment(item)
    policy_id = qos.usable(context, item.get("qos_policy_id")) or qos.default_policy(item["project_id"])
    item = {**item, "qos_policy_id": policy_id}
    _refuse_another_default(item.get("is_default", False), "")
    draft = Network(**_columns({"mtu": 0, **item}, asked.network_type))
    return segments.insert_network(draft, asked).id


def _refuse_another_default(is_wanted: bool, network_id: str) -> None:  # noqa: FBT001 - the attribute's value
    other = Network.objects.filter(is_default=True).exclude(id=network_id).first() if is_wanted else None
    if other is not None:
        raise DefaultExternalNetworkExists(network_id=other.id)


def _refuse_another_segment(network: Network, values: dict[str, Any]) -> None:
    for attribute, column in segments.ATTRIBUTES.items():
        if attribute in values and (values[attribute] or None) != (getattr(network, column) or None):
            raise InvalidInput(reason=f"{attribute} of a network cannot change")


def _columns(values: dict[str, Any], network_type: str) -> dict[str, Any]:
    columns = renamed(values, _COLUMNS, without=_NO_COLUMNS)
    if columns.get("mtu") == 0:
        columns["mtu"] = segments.default_mtu(network_type)
    most = segments.largest_mtu(network_type)
    if columns.get("mtu", 0) > most:
        raise InvalidInput(reason=f"Requested MTU is too big, maximum is {most}")
    return columns
