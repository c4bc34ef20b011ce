"""What may pass the ports of hosts: each has the newest document within a minute, or says why not."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import F

from cloud.compute.models import ComputeNode, Service
from cloud.compute.services.host_states import COMPUTE
from cloud.conductor.audit.findings import Finding
from cloud.core.clock import database_now
from cloud.networks.models import HostNetworkState
from cloud.networks.services.changes import version_at
from contracts.compute import COMMANDS
from contracts.networks import SyncNetworks

_GRACE = timedelta(seconds=60)


def behind(number: str) -> Iterator[Finding]:
    """Yield the hosts that are up, know of the document, and do not have the one of a minute ago."""
    up = Service.objects.filter(binary=COMPUTE, is_up=True).values("host")
    knowing = ComputeNode.objects.filter(release__gte=COMMANDS[SyncNetworks.NAME].since, host__in=up).values("host")
    rows = HostNetworkState.objects.filter(
        wanted__gt=F("applied"), wanted__lt=version_at(database_now() - _GRACE), host__in=knowing
    )
    for host, error in rows.values_list("host", "error"):
        text = f"does not have its networks as they shall be: {error or 'it has not said so'}"
        yield Finding(number, f"host {host}", text, f"manage.py host_networks {host}")
