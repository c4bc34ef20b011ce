"""Operations: the list, and the page of one with its living picture."""

import json
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.html import format_html

from cloud.compute.admin.context import context_of
from cloud.compute.admin.picture import BOX_HEIGHT, BOX_WIDTH, picture
from cloud.compute.admin.placement import report_part
from cloud.compute.admin.surroundings import complete_with_server, user_names
from cloud.compute.models import Operation
from cloud.compute.models.operations import OperationState
from cloud.compute.selectors.step_graph import attempts_of
from cloud.compute.services import placement_reports
from cloud.core.clock import database_now
from cloud.core.presentation import NOTHING, ReadOnlyAdmin, WholePage, badge, link, list_link, span


@admin.register(Operation)
class OperationAdmin(WholePage, ReadOnlyAdmin):
    list_display = ("action_", "server", "state_", "attempt", "host", "started_at", "took", "why")
    list_filter = ("state", "action", "error_code", "started_at")
    search_fields = ("=id", "=instance_uuid", "=request_id", "=host", "=project_id")
    search_help_text = "Exactly: operation id, server id, request id, host, project id"
    date_hierarchy = "started_at"
    ordering = ("-started_at",)
    list_per_page = 50
    change_form_template = "admin/compute/operation.html"
    fieldsets = (
        (None, {"fields": ("server", "state_", "why", "host", "attempt", "hosts_tried", "alternates", "steps")}),
        ("Placement", {"fields": ("trace_",)}),
        ("Asked by", {"fields": ("user", "project", "request_id", "plan_")}),
        ("When", {"fields": ("started_at", "took", "updated_at", "deadline", "resend_at", "finished_at")}),
        ("Details", {"fields": ("id", "workflow", "detail")}),
    )
    complete = staticmethod(complete_with_server)

    @admin.display(description="action", ordering="action")
    def action_(self, one: Any) -> str:
        return one.action

    @admin.display
    def server(self, one: Any) -> str:
        if one.server_row is None:
            return one.instance_uuid
        return link("compute_instance", one.server_row.pk, one.server_row.display_name or one.instance_uuid)

    @admin.display(description="state", ordering="state")
    def state_(self, one: Any) -> str:
        return badge(one.state)

    @admin.display
    def took(self, one: Any) -> str:
        return span(one.started_at, one.finished_at)

    @admin.display(description="why")
    def why(self, one: Any) -> str:
        return f"{one.error_code}: {one.detail or one.message}" if one.error_code else NOTHING

    @admin.display
    def user(self, one: Any) -> str:
        name = user_names([one.user_id]).get(one.user_id)
        return link("identity_user", one.user_id, name) if name else one.user_id

    @admin.display
    def project(self, one: Any) -> str:
        return list_link("compute_operation", one.project_id, q=one.project_id)

    @admin.display(description="plan")
    def plan_(self, one: Any) -> str:
        return _pretty(one.plan)

    @admin.display
    def steps(self, one: Any) -> str:
        return list_link("compute_step", "as a list", q=one.pk)

    @admin.display(description="what the scheduler said")
    def trace_(self, one: Any) -> str:
        return report_part(placement_reports.of_operation(one.asked_by, one)) if one.trace else NOTHING

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return an operation that knows who looks at it."""
        found = super().get_object(request, *args, **kwargs)
        if found is not None:
            found.asked_by = context_of(request)
        return found

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, obj: Any = None, **more: Any) -> Any:
        """Show the page under the server's name."""
        if obj is not None and obj.server_row is not None:
            context["subtitle"] = f"{obj.action} {obj.server_row.display_name or obj.instance_uuid}"
        return super().render_change_form(request, context, *args, obj=obj, **more)

    def get_urls(self) -> list[Any]:
        shown = self.admin_site.admin_view(self.picture)
        return [path("<str:pk>/picture/", shown, name="compute_operation_picture"), *super().get_urls()]

    def picture(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Answer the picture alone, for a page that shows it anew every second."""
        operation = Operation.objects.filter(pk=pk).first()
        if operation is None:
            raise Http404
        now = database_now()
        values = {
            "operation": operation,
            "picture": picture(attempts_of(operation), now),
            "box_width": BOX_WIDTH,
            "box_height": BOX_HEIGHT,
            "took": span(operation.started_at, operation.finished_at or now),
            "is_running": operation.state == OperationState.RUNNING,
        }
        return render(request, "admin/compute/picture.html", values)


def _pretty(document: Any) -> str:
    return format_html("<pre>{}</pre>", json.dumps(document, indent=2, sort_keys=True)) if document else NOTHING
