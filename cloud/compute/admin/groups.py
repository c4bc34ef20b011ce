"""Aggregates and server groups. The API changes them, because it judges zones and tells the schedulers."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Count

from cloud.compute.admin.surroundings import project_names, servers_by_uuid
from cloud.compute.models import Aggregate, ServerGroup
from cloud.compute.selectors.zones import ZONE_KEY
from cloud.core.presentation import NOTHING, ReadOnlyAdmin, WholePage, link, list_link, small_table


@admin.register(Aggregate)
class AggregateAdmin(ReadOnlyAdmin):
    list_display = ("name", "zone", "host_count", "metadata", "created_at")
    search_fields = ("name", "=uuid", "hosts__host")
    ordering = ("name",)
    fields = ("name", "zone", "members", "metadata", "uuid", "created_at", "updated_at")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).annotate(host_count=Count("hosts", distinct=True))

    @admin.display(description="availability zone")
    def zone(self, row: Any) -> str:
        return row.metadata.get(ZONE_KEY, NOTHING)

    @admin.display(description="hosts", ordering="host_count")
    def host_count(self, row: Any) -> int:
        return row.host_count

    @admin.display(description="hosts")
    def members(self, row: Any) -> str:
        names = row.hosts.order_by("host").values_list("host", flat=True)
        return small_table(("host",), ((list_link("compute_service", name, q=name),) for name in names))


@admin.register(ServerGroup)
class ServerGroupAdmin(WholePage, ReadOnlyAdmin):
    list_display = ("name", "policy", "project", "member_count", "created_at")
    list_filter = ("policy", "created_at")
    search_fields = ("name", "=uuid", "=project_id")
    ordering = ("-created_at",)
    fields = ("name", "policy", "rules", "project", "servers", "uuid", "created_at")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).annotate(member_count=Count("members"))

    def complete(self, rows: Sequence[Any]) -> None:
        names = project_names(row.project_id for row in rows)
        for row in rows:
            row.project_name = names.get(row.project_id, row.project_id)

    @admin.display(description="members", ordering="member_count")
    def member_count(self, row: Any) -> int:
        return row.member_count

    @admin.display
    def project(self, row: Any) -> str:
        return link("identity_project", row.project_id, row.project_name)

    @admin.display
    def servers(self, row: Any) -> str:
        found = servers_by_uuid(row.members.values_list("instance_uuid", flat=True))
        cells = ((link("compute_instance", one.pk, one.display_name), one.uuid) for one in found.values())
        return small_table(("server", "id"), cells)
