"""What the sweeps found and have not mended, with what mends it by hand."""

from django.contrib import admin

from cloud.compute.models import Discrepancy
from cloud.core.presentation import ReadOnlyAdmin


@admin.register(Discrepancy)
class DiscrepancyAdmin(ReadOnlyAdmin):
    list_display = ("invariant", "subject", "text", "command", "found_at")
    list_filter = ("invariant",)
    search_fields = ("subject", "text")
    ordering = ("invariant", "subject")
    list_per_page = 100
