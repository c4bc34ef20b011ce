"""Attach and detach interfaces of a server.

Source: https://docs.openstack.org/api-ref/compute/#port-interfaces-servers-os-interface
"""

from django.db import transaction
from django.utils import timezone

from cloud.compute.errors import InstanceNotReady
from cloud.compute.errors.networks import InterfaceRefused, PortElsewhere
from cloud.compute.models import Instance
from cloud.compute.services import operations
from cloud.compute.services.locks import check_lock
from cloud.compute.services.power import conflict
from cloud.compute.states import machine
from cloud.core.context import RequestContext
from cloud.core.errors import CloudError, Conflict, NotFound
from cloud.networks import errors
from cloud.networks.services import allocation, attaching

# The network service's refusal -> what Nova answers.
_ANSWERS: dict[type[CloudError], type[CloudError]] = {
    errors.NetworkUnknown: NotFound,
    errors.PortUnknown: NotFound,
    errors.FixedIpTaken: Conflict,
    errors.NetworkAmbiguous: InterfaceRefused,
    errors.IpAddressGenerationFailure: InterfaceRefused,
}


def attach(context: RequestContext, instance: Instance, wish: dict[str, str] | None) -> str:
    """Begin to plug an interface into a server; return its port, which has its addresses already.

    Args:
        context: who asks.
        instance: the server.
        wish: {uuid, port, fixed_ip, tag}; None for the one network that the project can mean.

    Raises:
        InstanceLocked, InstanceNotReady, StateConflict, HostTooOld
        Invalid, NotFound, Conflict, Forbidden: the network service's refusals, with Nova's statuses.
    """
    with transaction.atomic():
        _fire(context, instance, "attach_interface")
        try:
            document, position = attaching.with_request(context, instance.network_request, wish)
            operations.begin(context, [instance], "attach_interface", "attach_interface", {"position": position})
            # As in Nova it gets the project's default group, not those of the interfaces that the server was made with.
            wanted = {**document, "security_groups": []}
            allocation.allocate(instance.uuid, instance.project_id, wanted, instance.host)
        except tuple(_ANSWERS) as error:
            raise _ANSWERS[type(error)](error.message) from error
        Instance.objects.filter(pk=instance.pk).update(network_request=document)
        return attaching.port_at(instance.uuid, position)


def detach(context: RequestContext, instance: Instance, port_id: str) -> None:
    """Begin to take an interface out of a server.

    Raises:
        InstanceLocked, InstanceNotReady, StateConflict, HostTooOld
        PortElsewhere: it is none of this server's.
    """
    with transaction.atomic():
        _fire(context, instance, "detach_interface")
        position = attaching.position_of(instance.uuid, port_id)
        if position is None:
            raise PortElsewhere(port_id=port_id, uuid=instance.uuid)
        plan = {"position": position, "port_id": port_id}
        operations.begin(context, [instance], "detach_interface", "detach_interface", plan)


def _fire(context: RequestContext, instance: Instance, event: str) -> None:
    """Take the server for this alone, and read it as it is then."""
    check_lock(context, instance)
    if not instance.host:
        raise InstanceNotReady(uuid=instance.uuid)
    rows = Instance.objects.filter(pk=instance.pk, deleted=False)
    if not machine.fire(rows, event, updated_at=timezone.now()):
        raise conflict(instance, event, event)
    instance.refresh_from_db(fields=["host", "network_request"])
