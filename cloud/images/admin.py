"""Images, their tags and members. The API changes them, because their bytes lie in a store beside the rows."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.template.defaultfilters import filesizeformat

from cloud.core.presentation import NOTHING, ReadOnlyAdmin, WholePage, badge, link, small_table
from cloud.identity.models import Project
from cloud.images.models import Image


@admin.register(Image)
class ImageAdmin(WholePage, ReadOnlyAdmin):
    list_display = ("shown_name", "status_", "visibility", "project", "disk_format", "bytes", "grown", "protected",
                    "created_at")
    list_display_links = ("shown_name",)
    list_filter = ("status", "visibility", "disk_format", "protected", "os_hidden", "created_at")
    search_fields = ("name", "=id", "=owner", "=checksum")
    search_help_text = "Name; or exactly: id, project id, checksum"
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fieldsets = (
        (None, {"fields": ("shown_name", "id", "status_", "visibility", "project", "protected", "os_hidden")}),
        ("Bytes", {"fields": ("disk_format", "container_format", "bytes", "grown", "min_disk", "min_ram", "checksum",
                              "os_hash_algo", "os_hash_value")}),
        ("More", {"fields": ("properties", "tags", "members_", "created_at", "updated_at")}),
    )

    def complete(self, rows: Sequence[Any]) -> None:
        names = dict(Project.objects.filter(pk__in={row.owner for row in rows}).values_list("id", "name"))
        for row in rows:
            row.project_name = names.get(row.owner)

    @admin.display(description="name", ordering="name")
    def shown_name(self, image: Any) -> str:
        return image.name or image.id

    @admin.display(description="status", ordering="status")
    def status_(self, image: Any) -> str:
        return badge(image.status)

    @admin.display
    def project(self, image: Any) -> str:
        return link("identity_project", image.owner, image.project_name) if image.project_name else image.owner

    @admin.display(description="size", ordering="size")
    def bytes(self, image: Any) -> str:
        return filesizeformat(image.size) if image.size is not None else NOTHING

    @admin.display(description="virtual size", ordering="virtual_size")
    def grown(self, image: Any) -> str:
        return filesizeformat(image.virtual_size) if image.virtual_size is not None else NOTHING

    @admin.display
    def tags(self, image: Any) -> str:
        return ", ".join(image.tag_rows.order_by("value").values_list("value", flat=True)) or NOTHING

    @admin.display(description="members")
    def members_(self, image: Any) -> str:
        rows = image.members.order_by("created_at").values_list("member", "status")
        return small_table(("project", ""), ((member, badge(status)) for member, status in rows))
