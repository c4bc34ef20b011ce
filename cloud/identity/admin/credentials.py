"""Application credentials (without their secrets) and revoked tokens."""

from typing import Any

from django.contrib import admin

from cloud.identity.admin.rights import NeverMadeHere, ReadOnlyAdmin, RightsAdmin
from cloud.identity.models import ApplicationCredential, Revocation


@admin.register(ApplicationCredential)
class ApplicationCredentialAdmin(NeverMadeHere, RightsAdmin):
    list_display = ("name", "id", "user", "project", "role_names", "unrestricted", "expires_at", "created_at")
    list_filter = ("unrestricted", "expires_at")
    search_fields = ("name", "=id", "user__name", "project__name")
    fields = ("id", "name", "user", "project", "roles", "description", "unrestricted", "expires_at", "created_at")

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("user", "project").prefetch_related("roles")

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    @admin.display(description="roles")
    def role_names(self, credential: ApplicationCredential) -> str:
        return ", ".join(sorted(role.name for role in credential.roles.all()))


@admin.register(Revocation)
class RevocationAdmin(ReadOnlyAdmin):
    list_display = ("audit_id", "expires_at")
    search_fields = ("=audit_id",)
