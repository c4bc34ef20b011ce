"""What the conductor recorded of tasks, our presentation of django-celery-results; and what hosts say of a port."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django_celery_results.models import GroupResult, TaskResult

from cloud.conductor.doctor.port import examine
from cloud.core.presentation import ReadOnlyAdmin, badge, span
from cloud.networks.models import Port

admin.site.unregister(GroupResult)
admin.site.unregister(TaskResult)


def port_examination(request: HttpRequest, pk: str) -> HttpResponse:
    """Answer what the doctor finds at a port, for the port's page: its host is asked now."""
    port = Port.objects.select_related("network", "router").filter(pk=pk).first()
    if port is None:
        raise Http404
    return render(request, "admin/conductor/port_examination.html", {"checks": examine(port)})


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

    def get_urls(self) -> list[Any]:
        shown = self.admin_site.admin_view(port_examination)
        return [path("port/<str:pk>/", shown, name="port_examination"), *super().get_urls()]

    @admin.display(description="status", ordering="status")
    def status_(self, row: Any) -> str:
        return badge(row.status)

    @admin.display
    def took(self, row: Any) -> str:
        return span(row.date_started, row.date_done)

    @admin.display(description="result")
    def shown_result(self, row: Any) -> str:
        return (row.result or "")[:160]
