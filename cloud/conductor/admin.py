"""What the conductor recorded of tasks: our presentation of django-celery-results."""

from typing import Any

from django.contrib import admin
from django_celery_results.models import GroupResult, TaskResult

from cloud.core.presentation import ReadOnlyAdmin, badge, span

admin.site.unregister(GroupResult)
admin.site.unregister(TaskResult)


@admin.register(TaskResult)
class TaskResultAdmin(ReadOnlyAdmin):
    list_display = ("task_name", "status_", "worker", "date_done", "took", "shown_result")
    list_filter = ("status", "task_name", "date_done")
    search_fields = ("=task_id", "task_name", "=worker", "task_kwargs")
    search_help_text = "Task's name, an operation's id; or exactly: task id, worker"
    date_hierarchy = "date_done"
    ordering = ("-date_done",)
    list_per_page = 100
    fields = ("task_name", "task_id", "status_", "worker", "date_started", "date_done", "took", "task_kwargs", "result",
              "traceback")

    @admin.display(description="status", ordering="status")
    def status_(self, row: Any) -> str:
        return badge(row.status)

    @admin.display
    def took(self, row: Any) -> str:
        return span(row.date_started, row.date_done)

    @admin.display(description="result")
    def shown_result(self, row: Any) -> str:
        return (row.result or "")[:160]
