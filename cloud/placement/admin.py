"""The admin pages of placement. They show rows and change none: hosts report what they have, claims what they hold."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, FloatField, QuerySet
from django.db.models.functions import Cast, NullIf
from django.urls import reverse
from django.utils.html import format_html

from cloud.identity.admin.rights import ReadOnlyAdmin
from cloud.placement.models import Allocation, Inventory, ProviderTrait, ResourceProvider


def _provider_link(row: Any) -> str:
    url = reverse("admin:placement_resourceprovider_change", args=[row.provider_id])
    return format_html('<a href="{}">{}</a>', url, row.provider)


class _ShownOnly:
    """Rows inside another row's page, to be looked at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class InventoryInline(_ShownOnly, admin.TabularInline):
    model = Inventory
    fields = ("resource_class", "total", "reserved", "allocation_ratio", "capacity", "used", "min_unit", "max_unit",
              "step_size")


class TraitInline(_ShownOnly, admin.TabularInline):
    model = ProviderTrait
    fields = ("name",)


@admin.register(ResourceProvider)
class ResourceProviderAdmin(ReadOnlyAdmin):
    list_display = ("name", "uuid", "generation", "vcpu", "memory_mb", "disk_gb", "consumers", "updated_at")
    search_fields = ("name", "=uuid", "=traits__name")
    inlines = (InventoryInline, TraitInline)

    def get_queryset(self, request: Any) -> QuerySet[ResourceProvider]:
        rows = super().get_queryset(request).prefetch_related("inventories")
        return rows.annotate(consumer_total=Count("allocations__consumer_uuid", distinct=True))

    @admin.display(description="VCPU")
    def vcpu(self, row: ResourceProvider) -> str:
        return self._use(row, "VCPU")

    @admin.display(description="MEMORY_MB")
    def memory_mb(self, row: ResourceProvider) -> str:
        return self._use(row, "MEMORY_MB")

    @admin.display(description="DISK_GB")
    def disk_gb(self, row: ResourceProvider) -> str:
        return self._use(row, "DISK_GB")

    @admin.display(description="consumers", ordering="consumer_total")
    def consumers(self, row: Any) -> str:
        url = reverse("admin:placement_allocation_changelist")
        return format_html('<a href="{}?provider__id__exact={}">{}</a>', url, row.pk, row.consumer_total)

    @staticmethod
    def _use(row: ResourceProvider, resource_class: str) -> str:
        found = next((one for one in row.inventories.all() if one.resource_class == resource_class), None)
        return f"{found.used} / {found.capacity}" if found else "-"


@admin.register(Inventory)
class InventoryAdmin(ReadOnlyAdmin):
    list_display = ("provider_link", "resource_class", "used", "capacity", "full", "total", "reserved",
                    "allocation_ratio")
    list_filter = ("resource_class",)
    list_select_related = ("provider",)
    search_fields = ("provider__name", "=provider__uuid", "resource_class")

    def get_queryset(self, request: Any) -> QuerySet[Inventory]:
        share = Cast(F("used"), FloatField()) / NullIf(Cast(F("capacity"), FloatField()), 0.0)
        return super().get_queryset(request).annotate(share=share)

    @admin.display(description="provider", ordering="provider__name")
    def provider_link(self, row: Inventory) -> str:
        return _provider_link(row)

    @admin.display(description="full", ordering="share")
    def full(self, row: Any) -> str:
        return "-" if row.share is None else f"{row.share:.0%}"


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    list_display = ("consumer_uuid", "provider_link", "resource_class", "used", "project_id", "user_id", "created_at")
    list_filter = ("resource_class",)
    list_select_related = ("provider",)
    search_fields = ("=consumer_uuid", "provider__name", "=project_id", "=user_id")
    date_hierarchy = "created_at"

    @admin.display(description="provider", ordering="provider__name")
    def provider_link(self, row: Allocation) -> str:
        return _provider_link(row)
