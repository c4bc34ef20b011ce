"""Domains, projects and users."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count

from cloud.core.presentation import list_link
from cloud.identity.admin.rights import NeverMadeHere, NeverRemovedHere, RightsAdmin
from cloud.identity.models import Domain, Project, RoleAssignment, User
from cloud.identity.services.users import update_user


class AssignmentsOfUser(admin.TabularInline):
    model = RoleAssignment
    extra = 0
    autocomplete_fields = ("role", "project", "domain")
    readonly_fields = ("is_inherited",)


class AssignmentsInProject(admin.TabularInline):
    model = RoleAssignment
    extra = 0
    fields = ("user", "role")
    autocomplete_fields = ("user", "role")


@admin.register(Domain)
class DomainAdmin(NeverMadeHere, NeverRemovedHere, RightsAdmin):
    list_display = ("name", "id", "enabled", "user_count", "project_count", "description")
    list_filter = ("enabled",)
    search_fields = ("name", "=id")
    readonly_fields = ("id",)
    fields = ("id", "name", "description", "enabled", "tags", "extra")

    def get_queryset(self, request: Any) -> Any:
        counts = {"user_count": Count("users", distinct=True), "project_count": Count("projects", distinct=True)}
        return super().get_queryset(request).annotate(**counts)

    @admin.display(description="users", ordering="user_count")
    def user_count(self, domain: Any) -> int:
        return domain.user_count

    @admin.display(description="projects", ordering="project_count")
    def project_count(self, domain: Any) -> int:
        return domain.project_count


@admin.register(Project)
class ProjectAdmin(NeverMadeHere, NeverRemovedHere, RightsAdmin):
    list_display = ("name", "id", "domain", "parent", "enabled", "member_count", "servers", "description")
    list_filter = ("enabled", "domain")
    list_select_related = ("domain", "parent")
    search_fields = ("name", "=id")
    readonly_fields = ("id", "domain", "parent", "servers")
    fields = ("id", "name", "domain", "parent", "description", "enabled", "servers", "tags", "extra")
    inlines = (AssignmentsInProject,)

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).annotate(member_count=Count("assignments__user", distinct=True))

    @admin.display
    def servers(self, project: Any) -> str:
        # Servers stand above identity, and may lie in another database one day: a link, no count.
        return list_link("compute_instance", "servers", q=project.pk)

    @admin.display(description="members", ordering="member_count")
    def member_count(self, project: Any) -> int:
        return project.member_count


@admin.register(User)
class UserAdmin(NeverMadeHere, RightsAdmin):
    list_display = ("name", "id", "domain", "email", "enabled", "is_staff", "last_login", "created_at")
    list_filter = ("enabled", "is_staff", "domain")
    list_select_related = ("domain",)
    search_fields = ("name", "email", "=id")
    readonly_fields = ("id", "domain", "last_login", "created_at")
    fields = (
        "id", "name", "domain", "email", "description", "enabled", "is_staff", "default_project_id", "extra",
        "last_login", "created_at",
    )  # fmt: skip
    inlines = (AssignmentsOfUser,)
    actions = ("enable", "disable")

    @admin.action(description="Enable selected users")
    def enable(self, request: Any, queryset: Any) -> None:
        self._set_enabled(request, queryset, is_enabled=True)

    @admin.action(description="Disable selected users and end their tokens")
    def disable(self, request: Any, queryset: Any) -> None:
        self._set_enabled(request, queryset, is_enabled=False)

    def _set_enabled(self, request: Any, queryset: Any, *, is_enabled: bool) -> None:
        ids = list(queryset.values_list("id", flat=True))
        for id in ids:
            update_user(id, {"enabled": is_enabled})
        self.message_user(request, f"{len(ids)} users {'enabled' if is_enabled else 'disabled'}.", messages.SUCCESS)
