"""Servers: the list, the page of one, and what may be done to them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse

from cloud.compute.admin.context import context_of
from cloud.compute.admin.dashboard import overview_fragment
from cloud.compute.admin.dry_runs import dry_run_page
from cloud.compute.admin.health import health_fragment, health_page
from cloud.compute.admin.server_columns import ServerColumns
from cloud.compute.admin.server_filters import BusyFilter, LivingFilter, StatusFilter
from cloud.compute.admin.server_verbs import VERBS, carry_out, refusal_of
from cloud.compute.admin.topology import topology_fragment, topology_page
from cloud.compute.models import Instance, Operation
from cloud.compute.services import dry_runs
from cloud.compute.services.delete_server import is_kept_here
from cloud.core.presentation import ReadOnlyAdmin, WholePage


@admin.register(Instance)
class ServerAdmin(ServerColumns, WholePage, ReadOnlyAdmin):
    """Never in these fields: user data, keys, what the request asked of the network."""

    list_display = ("name_", "state", "addresses", "flavor_", "host_", "project", "created_at", "reason")
    list_display_links = ("name_",)
    list_filter = (StatusFilter, BusyFilter, LivingFilter, "locked", "created_at")
    search_fields = ("display_name", "=uuid", "=host", "=project_id", "=reservation_id")
    search_help_text = "Name; or exactly: id, host, project id, reservation id"
    date_hierarchy = "created_at"
    ordering = ("-created_at", "-id")
    list_per_page = 50
    actions = ("start", "stop", "reboot_soft", "reboot_hard", "restore", "delete", "force_delete")
    change_form_template = "admin/compute/server.html"
    fieldsets = (
        (None, {"fields": ("status", "doing", "fault_", "host_", "flavor_", "project", "user")}),
        ("Placement", {"fields": ("placement", "allocations", "availability_zone", "scheduler_hints")}),
        ("Operations", {"fields": ("operations",)}),
        ("Network", {"fields": ("ports",)}),
        ("What it is", {"fields": (
            "uuid", "domain", "hostname", "description", "image", "key_name", "config_drive", "metadata",
            "locked", "locked_reason", "reservation_id",
        )}),
        ("When", {"fields": ("created_at", "launched_at", "updated_at", "terminated_at")}),
    )

    @admin.action(description="Start selected servers")
    def start(self, request: HttpRequest, queryset: Any) -> None:
        self._carry_out("start", request, queryset)

    @admin.action(description="Stop selected servers")
    def stop(self, request: HttpRequest, queryset: Any) -> None:
        self._carry_out("stop", request, queryset)

    @admin.action(description="Reboot selected servers")
    def reboot_soft(self, request: HttpRequest, queryset: Any) -> None:
        self._carry_out("reboot_soft", request, queryset)

    @admin.action(description="Reboot selected servers hard")
    def reboot_hard(self, request: HttpRequest, queryset: Any) -> None:
        self._carry_out("reboot_hard", request, queryset)

    @admin.action(description="Restore selected servers")
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        self._carry_out("restore", request, queryset)

    @admin.action(description="Delete selected servers")
    def delete(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self._confirmed("delete", request, queryset)

    @admin.action(description="Delete selected servers at once")
    def force_delete(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self._confirmed("force_delete", request, queryset)

    def _confirmed(self, name: str, request: HttpRequest, servers: Iterable[Instance]) -> HttpResponse | None:
        if request.POST.get("confirmed"):
            self._carry_out(name, request, servers)
            return None
        values = {
            **self.admin_site.each_context(request), "servers": list(servers), "title": "Delete servers",
            "opts": self.opts, "checkbox": helpers.ACTION_CHECKBOX_NAME, "action": name,
            "is_kept": name == "delete" and is_kept_here(), "back": reverse("admin:compute_instance_changelist"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/compute/delete_servers.html", values)

    def _carry_out(self, name: str, request: HttpRequest, instances: Iterable[Instance]) -> None:
        for result in carry_out(VERBS[name], context_of(request), instances):
            level = messages.ERROR if result.refusal else messages.SUCCESS
            self.message_user(request, result.refusal or result.sentence, level)

    def get_urls(self) -> list[Any]:
        act = self.admin_site.admin_view(self.act)
        return [
            path("health/values/", self.admin_site.admin_view(health_fragment), name="health_values"),
            path("health/", self.admin_site.admin_view(health_page), name="health"),
            path("topology/picture/", self.admin_site.admin_view(topology_fragment), name="compute_topology_picture"),
            path("topology/", self.admin_site.admin_view(topology_page), name="compute_topology"),
            path("overview/", self.admin_site.admin_view(overview_fragment), name="compute_overview"),
            path("<int:pk>/act/<str:verb>/", act, name="compute_instance_act"),
            path("<int:pk>/migrate/", self.admin_site.admin_view(self.migrate), name="compute_instance_migrate"),
            *super().get_urls(),
        ]

    def act(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Carry out a verb on one server and come back to its page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        instance = self.get_object(request, str(pk))
        if instance is None or verb not in VERBS:
            self.message_user(request, "There is no such server, or nothing of that name can be done.", messages.ERROR)
            return HttpResponseRedirect(reverse("admin:compute_instance_changelist"))
        if VERBS[verb].is_grave and not request.POST.get("confirmed"):
            return self._confirmed(verb, request, [instance])
        self._carry_out(verb, request, [instance])
        return HttpResponseRedirect(reverse("admin:compute_instance_change", args=[pk]))

    def migrate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show where a server would go from its host."""
        one = get_object_or_404(Instance, pk=pk, deleted=False)
        title = f"What if {one.display_name} were migrated?"
        return dry_run_page(self, request, one, title, lambda: dry_runs.migrate(context_of(request), one))

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return a server that knows who looks at it."""
        found = super().get_object(request, *args, **kwargs)
        if found is not None:
            found.asked_by = context_of(request)
        return found

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        instance = self.get_object(request, object_id)
        beside = _beside(instance) if instance else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **beside})



def _beside(instance: Instance) -> dict[str, Any]:
    """Return what the page of a server shows beside its fields: buttons, and the latest operation's picture."""
    buttons = [
        {"name": name, "title": verb.title, "refusal": refusal_of(verb, instance), "is_grave": verb.is_grave}
        for name, verb in VERBS.items()
    ]
    latest = Operation.objects.filter(instance_uuid=instance.uuid).order_by("-started_at").first()
    return {"buttons": buttons, "latest": latest}
