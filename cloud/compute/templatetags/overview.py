"""The first page of the admin UI: the cloud at a glance."""

from datetime import datetime
from typing import Any

from django import template

from cloud.compute.admin.dashboard import overview_values
from cloud.compute.selectors.overview import HostLine
from cloud.core.presentation import span

register = template.Library()


@register.inclusion_tag("admin/compute/overview.html")
def cloud_overview() -> dict[str, Any]:
    """Show the cloud at a glance."""
    return overview_values()


@register.filter
def age(since: datetime) -> str:
    """Return how long ago something was."""
    return span(since)


@register.filter
def feel(host: HostLine) -> str:
    """Return a host's colour."""
    if not host.service.is_up:
        return "bad"
    return "warn" if host.notes else "good"


@register.filter
def fullness(host: HostLine) -> str:
    """Return how full a host is, in percent of what it has least of."""
    return f"{100 * max(host.vcpus.share, host.memory_mb.share, host.disk_gb.share):.0f}"


@register.filter
def told(host: HostLine) -> str:
    """Return a host's state in words."""
    words = [host.name, host.service.state, f"{host.servers} servers", *host.notes]
    words += [f"{host.vcpus.used}/{host.vcpus.capacity} vCPU",
              f"{host.memory_mb.used / 1024:.3g}/{host.memory_mb.capacity / 1024:.4g} GB"]
    return ", ".join(words)
