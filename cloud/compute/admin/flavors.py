"""Flavors: made and removed here as by the API; their sizes never change."""

from typing import Any

from django.contrib import admin
from django.core.validators import RegexValidator
from django.http import HttpRequest

from cloud.compute.models import Flavor, FlavorAccess
from cloud.core.models import new_uuid

_SIZES = ("flavorid", "name", "vcpus", "memory_mb", "disk_gb", "ephemeral_gb", "swap_mb", "rxtx_factor", "is_public")
_MOST = 2**31 - 1
# What the API's schema asks of each field.
_RULES: dict[str, dict[str, Any]] = {
    **{name: {"min_value": 1, "max_value": _MOST} for name in ("vcpus", "memory_mb")},
    **{name: {"min_value": 0, "max_value": _MOST} for name in ("disk_gb", "ephemeral_gb", "swap_mb")},
    "rxtx_factor": {"min_value": 0.01},
    "name": {"validators": [RegexValidator(r"^[^\x00-\x1f\x7f]+$", "Use printable characters only.")]},
    "flavorid": {
        "initial": new_uuid,
        "validators": [RegexValidator(r"^[a-zA-Z0-9. _-]+$", "Use letters, digits, dots, dashes and underlines.")],
    },
}


class AccessOfFlavor(admin.TabularInline):
    model = FlavorAccess
    extra = 0


@admin.register(Flavor)
class FlavorAdmin(admin.ModelAdmin):
    list_display = ("name", "vcpus", "memory_mb", "disk_gb", "ephemeral_gb", "swap_mb", "is_public", "is_disabled",
                    "extra_specs", "flavorid")
    list_filter = ("is_public", "is_disabled")
    search_fields = ("name", "=flavorid", "description")
    ordering = ("memory_mb", "vcpus", "name")
    inlines = (AccessOfFlavor,)
    fieldsets = (
        (None, {"fields": ("name", "flavorid", "description", "is_public", "is_disabled")}),
        ("Size", {"fields": ("vcpus", "memory_mb", "disk_gb", "ephemeral_gb", "swap_mb", "rxtx_factor")}),
        ("What the scheduler asks of hosts", {"fields": ("extra_specs", "created_at", "updated_at")}),
    )
    readonly_fields = ("extra_specs", "created_at", "updated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, *_SIZES) if obj else self.readonly_fields

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_dbfield(db_field, request, **{**kwargs, **_RULES.get(db_field.name, {})})
