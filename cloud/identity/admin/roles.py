"""Roles, what they imply, and who has them."""

from typing import Any

from django.contrib import admin

from cloud.identity.admin.rights import NeverRemovedHere, RightsAdmin
from cloud.identity.models import Role, RoleAssignment, RoleInference


class Implied(admin.TabularInline):
    model = RoleInference
    fk_name = "prior"
    extra = 0
    autocomplete_fields = ("implied",)
    verbose_name_plural = "implies"


@admin.register(Role)
class RoleAdmin(NeverRemovedHere, RightsAdmin):
    list_display = ("name", "id", "domain", "implied_names", "description")
    list_filter = ("domain",)
    search_fields = ("name", "=id")
    fields = ("id", "name", "domain", "description", "options")
    inlines = (Implied,)

    def get_readonly_fields(self, request: Any, obj: Any = None) -> tuple[str, ...]:
        return ("id", "name", "domain") if obj else ("id",)

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("domain").prefetch_related("implies__implied")

    @admin.display(description="implies")
    def implied_names(self, role: Role) -> str:
        return ", ".join(rule.implied.name for rule in role.implies.all())


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(RightsAdmin):
    list_display = ("user", "role", "project", "domain", "is_system")
    list_filter = ("role", "is_system")
    list_select_related = ("user", "role", "project", "domain")
    search_fields = ("user__name", "project__name", "=user__id", "=project__id")
    autocomplete_fields = ("user", "role", "project", "domain")
    readonly_fields = ("is_inherited",)
