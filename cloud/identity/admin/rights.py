"""What every page has in common that may give or take rights: all processes hear of the change."""

from typing import Any

from django.contrib import admin
from django.db import transaction

from cloud.identity.services import revocations


class RightsAdmin(admin.ModelAdmin):
    """Ends what processes know of tokens after each change, and older tokens of what is being disabled."""

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        if hasattr(obj, "token_generation") and "enabled" in form.changed_data and not obj.enabled:
            obj.token_generation += 1
        super().save_model(request, obj, form, change)

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        super().save_related(request, form, formsets, change)
        revocations.bump()

    def delete_model(self, request: Any, obj: Any) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)
            revocations.bump()

    def delete_queryset(self, request: Any, queryset: Any) -> None:
        with transaction.atomic():
            super().delete_queryset(request, queryset)
            revocations.bump()


class NeverMadeHere:
    """For rows that the API makes, with what belongs to them."""

    def has_add_permission(self, request: Any) -> bool:
        return False


class NeverRemovedHere:
    """For rows that the API removes, with what belongs to them."""

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(NeverMadeHere, NeverRemovedHere, admin.ModelAdmin):
    """Shows rows and changes nothing."""

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False
