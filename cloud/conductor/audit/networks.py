"""What may pass the ports of hosts: each has the newest document within a minute of being told, or says why not."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import F, Q

from cloud.compute.models import ComputeNode, Service
from cloud.compute.services.host_states import COMPUTE
from cloud.conductor.audit.findings import Finding
from cloud.core.clock import database_now
from cloud.networks.models import HostNetworkState
from cloud.networks.services.host_versions import version_at
from contracts.compute import COMMANDS
from contracts.networks import SyncNetworks

_GRACE = timedelta(seconds=60)
# Whose turn it is not to be told of who came: while builds wait, that may take a while among thousands of hosts.
_TURN_GRACE = timedelta(minutes=10)


def behind(number: str) -> Iterator[Finding]:
    """Yield the hosts that are up, know of the document, and do not have the one of a minute ago."""
    now = database_now()
    up = Service.objects.filter(binary=COMPUTE, is_up=True).values("host")
    knowing = ComputeNode.objects.filter(release__gte=COMMANDS[SyncNetworks.NAME].since, host__in=up).values("host")
    was_told = Q(told_at__isnull=False, wanted__lt=version_at(now - _GRACE))
    is_late = was_told | Q(wanted__lt=version_at(now - _TURN_GRACE))
    rows = HostNetworkState.objects.filter(is_late, wanted__gt=F("applied"), host__in=knowing)
    for host, error in rows.values_list("host", "error"):
        text = f"does not have its networks as they shall be: {error or 'it has not said so'}"
        yield Finding(number, f"host {host}", text, f"manage.py host_networks {host}")
