"""Hosts: their services, enabled and disabled here, and what their hypervisors report."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.html import format_html

from cloud.compute.admin.context import context_of
from cloud.compute.admin.dry_runs import dry_run_page
from cloud.compute.models import ComputeNode, Service
from cloud.compute.selectors import overview
from cloud.compute.selectors.services import COMPUTE, list_services
from cloud.compute.services import dry_drains
from cloud.compute.services.host_services import change_service
from cloud.core.errors import CloudError
from cloud.core.presentation import NOTHING, ReadOnlyAdmin, WholePage, badge, list_link, meter, span

_BY_ADMIN = "by an operator at the admin UI"


class HostColumns:
    """What is held of a host, read for a whole page."""

    def complete(self, rows: Sequence[Any]) -> None:
        names = [row.host for row in rows]
        servers = overview.servers_by_host(names)
        amounts = overview.amounts_by_host(names)
        for row in rows:
            row.server_count = servers.get(row.host, 0)
            row.amounts = amounts.get(row.host, {})

    @admin.display
    def servers(self, row: Any) -> str:
        return list_link("compute_instance", row.server_count, q=row.host)

    @admin.display(description="vCPUs")
    def vcpus_held(self, row: Any) -> str:
        return _held(row, overview.VCPU)

    @admin.display(description="memory, GB")
    def memory_held(self, row: Any) -> str:
        return _held(row, overview.MEMORY_MB, 1024)

    @admin.display(description="disk, GB")
    def disk_held(self, row: Any) -> str:
        return _held(row, overview.DISK_GB)


def _held(row: Any, name: str, unit: int = 1) -> str:
    amount = row.amounts.get(name)
    return meter(amount.used / unit, amount.capacity / unit) if amount else NOTHING


@admin.register(Service)
class ServiceAdmin(HostColumns, WholePage, ReadOnlyAdmin):
    list_display = ("host", "binary", "zone", "state", "status", "servers", "vcpus_held", "memory_held", "disk_held",
                    "seen")
    list_filter = ("binary", "disabled", "forced_down")
    search_fields = ("host", "binary", "disabled_reason", "=uuid")
    ordering = ("binary", "host")
    list_per_page = 100
    actions = ("enable", "disable")
    change_form_template = "admin/compute/host.html"
    fields = ("host", "binary", "state", "status", "disabled_reason", "forced_down", "zone", "servers", "vcpus_held",
              "memory_held", "disk_held", "last_seen_at", "started_at", "uuid")

    def complete(self, rows: Sequence[Any]) -> None:
        super().complete(rows)
        known = {one.id: one for one in list_services(host=rows[0].host if len(rows) == 1 else "")}
        for row in rows:
            row.known = known[row.pk]

    @admin.display(ordering="is_up")
    def state(self, row: Any) -> str:
        return badge(row.known.state)

    @admin.display(ordering="disabled")
    def status(self, row: Any) -> str:
        reason = row.disabled_reason or "" if row.disabled else ""
        return format_html('<span title="{}">{}</span>', reason, badge(row.known.status))

    @admin.display
    def zone(self, row: Any) -> str:
        return row.known.zone

    @admin.display(description="heard of", ordering="last_seen_at")
    def seen(self, row: Any) -> str:
        return f"{span(row.last_seen_at)} ago" if row.last_seen_at else "never"

    def get_urls(self) -> list[Any]:
        drain = self.admin_site.admin_view(self.drain)
        return [path("<int:pk>/drain/", drain, name="compute_service_drain"), *super().get_urls()]

    def drain(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show where the servers of a host would go."""
        one = get_object_or_404(Service, pk=pk, binary=COMPUTE)
        title = f"What if {one.host} were drained?"
        return dry_run_page(self, request, one, title, lambda: dry_drains.drain(context_of(request), one.host))

    @admin.action(description="Enable selected hosts")
    def enable(self, request: HttpRequest, queryset: Any) -> None:
        self._change(request, queryset, "enabled", disabled=False, disabled_reason=None)

    @admin.action(description="Disable selected hosts")
    def disable(self, request: HttpRequest, queryset: Any) -> None:
        reason = f"{request.user} {_BY_ADMIN}"
        self._change(request, queryset, "disabled", disabled=True, disabled_reason=reason)

    def _change(self, request: HttpRequest, queryset: Any, done: str, **columns: Any) -> None:
        for host, binary in queryset.values_list("host", "binary"):
            try:
                change_service(host, binary, **columns)
            except CloudError as refusal:
                self.message_user(request, f"Host {host}: {refusal.message}", messages.ERROR)
            else:
                self.message_user(request, f"Host {host} is {done}.", messages.SUCCESS)


@admin.register(ComputeNode)
class HypervisorAdmin(HostColumns, WholePage, ReadOnlyAdmin):
    list_display = ("hypervisor_hostname", "host", "hypervisor_type", "hypervisor_version", "running_vms", "servers",
                    "vcpus", "memory_mb", "memory_mb_free", "disk_gb", "disk_gb_free", "load_average", "troubles",
                    "updated_at")
    list_filter = ("hypervisor_type", "architecture")
    search_fields = ("hypervisor_hostname", "host", "=uuid")
    ordering = ("host",)
    list_per_page = 100
    fields = ("host", "hypervisor_hostname", "hypervisor_type", "hypervisor_version", "architecture", "host_ip",
              "vcpus", "memory_mb", "memory_mb_free", "disk_gb", "disk_gb_free", "running_vms", "vcpus_held",
              "memory_held", "disk_held", "troubles", "clock_offset_seconds", "cpu_info", "load_average",
              "uptime_text", "cached_images", "residue", "residue_at", "uuid", "created_at", "updated_at")
