"""Moves of servers between hosts: what clients call migrations."""

from typing import Any

from django.contrib import admin

from cloud.compute.admin.surroundings import complete_with_server
from cloud.compute.models import Migration
from cloud.core.presentation import ReadOnlyAdmin, WholePage, badge, link

_TONES = {"error": "bad", "confirmed": "good", "reverted": "plain", "completed": "good", "finished": "warn",
          "done": "warn"}  # fmt: skip


@admin.register(Migration)
class MigrationAdmin(WholePage, ReadOnlyAdmin):
    list_display = ("migration_type", "server", "status_", "source_compute", "dest_compute", "sizes", "created_at",
                    "operation_")
    list_filter = ("status", "migration_type", "created_at")
    search_fields = ("=uuid", "=instance_uuid", "=source_compute", "=dest_compute", "=project_id")
    search_help_text = "Exactly: id of the move, server id, host, project id"
    ordering = ("-created_at",)
    list_per_page = 50
    fields = ("migration_type", "server", "status_", "source_compute", "dest_compute", "sizes", "created_at",
              "updated_at", "operation_", "uuid", "project_id", "user_id")
    complete = staticmethod(complete_with_server)

    @admin.display
    def server(self, row: Any) -> str:
        one = row.server_row
        return link("compute_instance", one.pk, one.display_name or one.uuid) if one else row.instance_uuid

    @admin.display(description="status", ordering="status")
    def status_(self, row: Any) -> str:
        return badge(row.status, _TONES.get(row.status, "busy"))

    @admin.display(description="flavor")
    def sizes(self, row: Any) -> str:
        names = [(one.get("flavor") or {}).get("name", "") for one in (row.before, row.after)]
        return names[0] if names[0] == names[1] else " → ".join(names)

    @admin.display(description="operation")
    def operation_(self, row: Any) -> str:
        return link("compute_operation", row.operation_id, "steps") if row.operation_id else ""
