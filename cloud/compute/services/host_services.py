"""What operators do to a compute service: enable, disable, force down, remove."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from cloud.compute.errors import ServiceNotFound
from cloud.compute.models import AggregateHost, ComputeNode, Instance, Service
from cloud.compute.selectors.services import COMPUTE, ServiceRow
from cloud.compute.services import fencing, host_feed
from cloud.core.errors import Conflict, Invalid
from cloud.placement.models import Allocation, ResourceProvider

_MOST_CHARACTERS = 255
_IN_USE = "Unable to delete compute service that is hosting instances. Migrate or delete the instances first."


def change_service(host: str, binary: str, *, said_by: str = "", **columns: Any) -> None:
    """Change what an operator decides about a compute service, and tell the schedulers.

    `columns`: of `disabled`, `disabled_reason`, `forced_down`. That a host is forced down is a word that may be given
    again, and who gave it when is kept: servers are evacuated on the strength of it.

    Raises:
        Invalid: it is no compute service.
        ServiceNotFound: there is none on that host.
        HostNotClean: it was forced down, and has or may have what was evacuated from it.
    """
    if binary != COMPUTE:
        raise Invalid(
            f"Updating a {binary} service is not supported. Only {COMPUTE} services can be updated."
        )
    with transaction.atomic():
        service = Service.objects.select_for_update().filter(host=host, binary=binary).first()
        if service is None:
            raise ServiceNotFound(f"Could not find binary {binary} on host {host}.")
        if "forced_down" in columns:
            columns |= _word(service, said_by, is_down=columns["forced_down"])
        Service.objects.filter(pk=service.pk).update(**columns)
        host_feed.publish([host])


def _word(service: Service, said_by: str, *, is_down: bool) -> dict[str, Any]:
    if is_down:
        return {"forced_down_at": Now(), "forced_down_by": said_by[:_MOST_CHARACTERS]}
    if service.forced_down:
        fencing.check_clean(service.host)
    return {"forced_down_at": None, "forced_down_by": ""}


def delete_service(service: ServiceRow) -> None:
    """Forget a service, and of a compute service the host with it.

    Raises:
        Conflict: servers are on the host.
    """
    with transaction.atomic():
        # Before the provider, as who writes down what the host reports.
        list(Service.objects.select_for_update().filter(pk=service.id).values_list("id"))
        if service.binary == COMPUTE:
            _forget_host(service.host)
        Service.objects.filter(pk=service.id).delete()
        if service.binary == COMPUTE:
            transaction.on_commit(host_feed.publish_all, robust=True)


def _forget_host(host: str) -> None:
    # With the provider's row locked no claim comes in between.
    list(ResourceProvider.objects.select_for_update().filter(name=host).values_list("id"))
    is_used = Instance.objects.filter(host=host, deleted=False).exists()
    if is_used or Allocation.objects.filter(provider__name=host).exists():
        raise Conflict(_IN_USE)
    AggregateHost.objects.filter(host=host).delete()
    ComputeNode.objects.filter(host=host).delete()
    try:
        with transaction.atomic():
            ResourceProvider.objects.filter(name=host).delete()
    except IntegrityError:
        raise Conflict(_IN_USE) from None
