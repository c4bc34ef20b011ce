"""Steps of operations, across all of them: what a host is doing, what is sent again and again."""

from typing import Any

from django.contrib import admin

from cloud.compute.models import Step
from cloud.core.presentation import ReadOnlyAdmin, badge, link, span


@admin.register(Step)
class StepAdmin(ReadOnlyAdmin):
    list_display = ("name", "operation_", "state_", "host", "attempt", "sends", "started_at", "took", "deadline",
                    "error_code", "detail")
    list_filter = ("state", "name", "error_code", "started_at")
    list_select_related = ("operation",)
    search_fields = ("=operation__id", "=operation__instance_uuid", "=host")
    search_help_text = "Exactly: operation id, server id, host"
    date_hierarchy = "started_at"
    ordering = ("-id",)
    list_per_page = 100
    fields = ("name", "operation_", "state_", "host", "attempt", "position", "after", "sends", "started_at", "took",
              "deadline", "finished_at", "error_code", "detail")

    @admin.display(description="operation")
    def operation_(self, step: Any) -> str:
        return link("compute_operation", step.operation_id, step.operation)

    @admin.display(description="state", ordering="state")
    def state_(self, step: Any) -> str:
        return badge(step.state)

    @admin.display
    def took(self, step: Any) -> str:
        return span(step.started_at, step.finished_at) if step.state != "pending" else ""
