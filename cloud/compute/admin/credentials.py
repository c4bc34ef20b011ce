"""Credentials of hosts: who has one, and whether it is good for anything. Nothing that is secret is shown."""

from typing import Any

from django.contrib import admin

from cloud.compute.models import HostCredential
from cloud.core.presentation import ReadOnlyAdmin, badge


@admin.register(HostCredential)
class HostCredentialAdmin(ReadOnlyAdmin):
    list_display = ("name", "state", "speaks_for", "suspended_reason", "created_at", "updated_at")
    search_fields = ("name", "suspended_reason")
    ordering = ("name",)
    list_per_page = 100
    # Not the salt, of which the key and the password are made.
    fields = ("name", "state", "speaks_for", "created_at", "updated_at", "dismissed_at", "suspended_at",
              "suspended_reason")

    @admin.display
    def state(self, row: Any) -> str:
        if row.dismissed_at:
            return badge("dismissed", "plain")
        return badge("suspended", "bad") if row.suspended_at else badge("good", "good")

    @admin.display(description="speaks for")
    def speaks_for(self, row: Any) -> str:
        return ", ".join(row.hosts) or row.name
