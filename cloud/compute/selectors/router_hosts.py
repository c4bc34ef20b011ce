"""The hosts as the network service sees them when it looks for a place for a router."""

from datetime import timedelta

from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.functions import Now

from cloud.compute.models import ComputeNode, Service
from cloud.compute.selectors.services import COMPUTE
from cloud.networks.selectors.hosts import RouterHost
from contracts.compute import COMMANDS
from contracts.networks import SyncNetworks

# Half of what it takes until a host counts as down: to move a router costs little, and it shall be up within a minute.
SILENT_AFTER_SECONDS = 30


def router_hosts() -> list[RouterHost]:
    """Return the hosts that hear of their networks by documents, in two queries."""
    oldest = Now() - timedelta(seconds=SILENT_AFTER_SECONDS)
    is_silent = Case(
        When(Q(is_up=True, forced_down=False, last_seen_at__gt=oldest), then=Value(False)),
        default=Value(True), output_field=BooleanField(),
    )  # fmt: skip
    since = COMMANDS[SyncNetworks.NAME].since
    knowing = set(ComputeNode.objects.filter(release__gte=since).values_list("host", flat=True))
    rows = Service.objects.filter(binary=COMPUTE).annotate(is_silent=is_silent).order_by("host")
    return [
        RouterHost(host, is_silent=is_silent, is_open=not is_disabled)
        for host, is_silent, is_disabled in rows.values_list("host", "is_silent", "disabled")
        if host in knowing
    ]
