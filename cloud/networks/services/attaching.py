"""One more interface for a server that is there, or one less.

A server's document of requests keeps its positions: what is attached is added at its end, what is detached leaves an
empty place. So the document says at every moment which interfaces the server shall have.
"""

from typing import Any

from django.db.models import F
from django.utils import timezone

from cloud.core.context import RequestContext
from cloud.networks.errors import NoNetworkToAttach
from cloud.networks.models import Port, ResourceTag
from cloud.networks.services import allocation, changes, requests
from cloud.networks.services.forgetting import forget_ports


def with_request(
    context: RequestContext, document: dict[str, Any], wish: dict[str, str] | None
) -> tuple[dict[str, Any], int]:
    """Return a server's document with one more request, checked, and the position of the new interface.

    Args:
        context: of the one who asks.
        document: as `requests.check` returned it, or this function.
        wish: {uuid, port, fixed_ip, tag}; None for the one network that the project can mean.

    Raises:
        NoNetworkToAttach, and what `requests.check` raises
    """
    checked = requests.check(context, None if wish is None else [wish], None)
    if not checked["requests"]:
        raise NoNetworkToAttach
    before = document.get("requests", [])
    return {**document, "requests": [*before, *checked["requests"]]}, len(before)


def without(document: dict[str, Any], position: int) -> dict[str, Any]:
    """Return a server's document without what was at a position."""
    before = document.get("requests", [])
    return {**document, "requests": [{} if place == position else one for place, one in enumerate(before)]}


def position_of(instance_uuid: str, port_id: str) -> int | None:
    """Return the place of a port among the interfaces of a server, or None where it is none of them."""
    rows = Port.objects.filter(id=port_id, device_id=instance_uuid, position__gte=0, is_leaving=False)
    return rows.values_list("position", flat=True).first()


def port_at(instance_uuid: str, position: int) -> str:
    """Return the port at a place; empty for none."""
    return Port.objects.filter(device_id=instance_uuid, position=position).values_list("id", flat=True).first() or ""


def give_back(instance_uuid: str, position: int) -> None:
    """Delete the port at a place if it was made for the server or shall go, else unbind it.

    None there is a success.
    """
    port = Port.objects.select_for_update().filter(device_id=instance_uuid, position=position).first()
    if port is None:
        return
    changes.note(changes.of_ports([port.id], are_leaving=True), is_urgent=False)
    if port.is_created_for_server or port.is_leaving:
        ResourceTag.objects.filter(resource_id=port.id).delete()
        forget_ports([port.id])
        port.delete()
        return
    Port.objects.filter(pk=port.pk).update(
        **allocation.UNBOUND, updated_at=timezone.now(), revision_number=F("revision_number") + 1
    )
