"""Key pairs: the public halves, which are all there is."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin

from cloud.compute.admin.surroundings import user_names
from cloud.compute.models import KeyPair
from cloud.core.presentation import ReadOnlyAdmin, WholePage, link


@admin.register(KeyPair)
class KeyPairAdmin(WholePage, ReadOnlyAdmin):
    list_display = ("name", "user", "type", "fingerprint", "created_at")
    list_filter = ("type", "created_at")
    search_fields = ("name", "=user_id", "fingerprint")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    fields = ("name", "user", "type", "fingerprint", "public_key", "created_at")

    def complete(self, rows: Sequence[Any]) -> None:
        names = user_names(row.user_id for row in rows)
        for row in rows:
            row.user_name = names.get(row.user_id)

    @admin.display
    def user(self, row: Any) -> str:
        return link("identity_user", row.user_id, row.user_name) if row.user_name else row.user_id
