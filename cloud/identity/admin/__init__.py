"""The admin pages of the identity domain. No page shows a password, a secret or a hash of one."""

from django.contrib import admin
from django.contrib.auth.models import Group

from cloud.identity.admin import credentials, people, quotas, roles

__all__ = ["credentials", "people", "quotas", "roles"]

# Roles stand in projects here; Django's groups of permissions have no meaning.
if admin.site.is_registered(Group):
    admin.site.unregister(Group)
