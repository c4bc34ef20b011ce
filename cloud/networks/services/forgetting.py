"""Fixed addresses that go take no floating address with them: it leads nowhere from then on."""

from collections.abc import Collection

from django.db.models import F, QuerySet
from django.utils import timezone

from cloud.networks.models import FloatingIp
from cloud.networks.services import changes


def forget(fixed_ip_ids: Collection[int]) -> None:
    """Call it before these addresses go."""
    _lead_nowhere(FloatingIp.objects.filter(fixed_ip__in=fixed_ip_ids))


def forget_ports(port_ids: Collection[str]) -> None:
    """Call it before these ports go."""
    _lead_nowhere(FloatingIp.objects.filter(fixed_ip__port__in=port_ids))


def _lead_nowhere(rows: QuerySet[FloatingIp]) -> None:
    led = changes.of_floating_ips(rows)
    if led:
        rows.update(fixed_ip=None, router=None, updated_at=timezone.now(), revision_number=F("revision_number") + 1)
        changes.note(led)
