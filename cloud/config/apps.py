"""Django's admin app, with our site in it."""

from django.contrib.admin.apps import AdminConfig


class NovellaAdminConfig(AdminConfig):
    """The admin."""

    default_site = "cloud.config.admin_site.NovellaSite"
