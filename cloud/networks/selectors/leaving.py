"""Ports that were deleted and are kept until their hosts have let go of them."""

from cloud.networks.models import Port


def leaving(limit: int) -> list[tuple[str, str, int]]:
    """Return server, port and position of those that wait longest, at most so many."""
    rows = Port.objects.filter(is_leaving=True, position__gte=0).order_by("updated_at", "id")
    return list(rows.values_list("device_id", "id", "position")[:limit])
