"""Which hosts can be told what: an agent of an older release is not sent orders that it does not know."""

from collections.abc import Collection

from cloud.compute.errors import HostTooOld
from cloud.compute.models import ComputeNode
from cloud.compute.services.graphs import RELEASES


def too_old(workflow: str, hosts: Collection[str]) -> set[str]:
    """Return those of the hosts whose agents do not know all orders of a workflow; what they report decides."""
    needed = RELEASES.get(workflow, 1)
    if needed == 1:
        return set()
    return set(ComputeNode.objects.filter(host__in=hosts, release__lt=needed).values_list("host", flat=True))


def check(workflow: str, hosts: Collection[str]) -> None:
    """Refuse a workflow that one of the hosts could not carry out. Raises HostTooOld."""
    if too_old(workflow, hosts):
        raise HostTooOld(action=workflow.replace("_", " "))
