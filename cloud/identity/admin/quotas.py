"""Limits and usage of projects."""

from typing import Any

from django.contrib import admin

from cloud.identity.admin.rights import ReadOnlyAdmin
from cloud.identity.models import Project, QuotaClassLimit, QuotaLimit, QuotaUsage
from cloud.identity.services.quotas import DEFAULTS


class ProjectNames:
    """Shows a project's name beside its id: quotas know ids only, because projects may live elsewhere one day."""

    def get_changelist_instance(self, request: Any) -> Any:
        changelist = super().get_changelist_instance(request)
        ids = {row.project_id for row in changelist.result_list}
        names = dict(Project.objects.filter(pk__in=ids).values_list("id", "name"))
        for row in changelist.result_list:
            row.shown_project = names.get(row.project_id, "-")
        return changelist

    @admin.display(description="project")
    def project(self, row: Any) -> str:
        return getattr(row, "shown_project", "-")


@admin.register(QuotaLimit)
class QuotaLimitAdmin(ProjectNames, admin.ModelAdmin):
    list_display = ("project", "project_id", "resource", "limit")
    list_filter = ("resource",)
    search_fields = ("=project_id", "resource")


@admin.register(QuotaClassLimit)
class QuotaClassLimitAdmin(admin.ModelAdmin):
    list_display = ("resource", "limit", "built_in")
    search_fields = ("resource",)

    @admin.display(description="built-in")
    def built_in(self, row: QuotaClassLimit) -> int | None:
        return DEFAULTS.get(row.resource)


@admin.register(QuotaUsage)
class QuotaUsageAdmin(ProjectNames, ReadOnlyAdmin):
    list_display = ("project", "project_id", "resource", "in_use")
    list_filter = ("resource",)
    search_fields = ("=project_id", "resource")
