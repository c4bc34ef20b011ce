"""Steps of operations, across all of them: what a host is doing, what is sent again and again."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin

from cloud.compute.admin.surroundings import servers_by_uuid
from cloud.compute.models import Step
from cloud.core.presentation import ReadOnlyAdmin, WholePage, badge, link, span


@admin.register(Step)
class StepAdmin(WholePage, ReadOnlyAdmin):
    list_display = ("name", "operation_", "state_", "host", "attempt", "sends", "started_at", "took", "why")
    list_filter = ("state", "name", "error_code", "started_at")
    list_select_related = ("operation",)
    search_fields = ("=operation__id", "=operation__instance_uuid", "=host")
    search_help_text = "Exactly: operation id, server id, host"
    date_hierarchy = "started_at"
    ordering = ("-id",)
    list_per_page = 100
    fields = ("name", "operation_", "state_", "host", "attempt", "position", "after", "sends", "started_at", "took",
              "deadline", "finished_at", "error_code", "detail")

    def complete(self, rows: Sequence[Any]) -> None:
        found = servers_by_uuid(step.operation.instance_uuid for step in rows)
        for step in rows:
            step.server_row = found.get(step.operation.instance_uuid)

    @admin.display(description="operation")
    def operation_(self, step: Any) -> str:
        name = step.server_row.display_name if step.server_row else step.operation.instance_uuid
        return link("compute_operation", step.operation_id, f"{step.operation.action} {name}")

    @admin.display
    def why(self, step: Any) -> str:
        return f"{step.error_code}: {step.detail}" if step.error_code else ""

    @admin.display(description="state", ordering="state")
    def state_(self, step: Any) -> str:
        return badge(step.state)

    @admin.display
    def took(self, step: Any) -> str:
        return span(step.started_at, step.finished_at) if step.state != "pending" else ""
