"""Django's admin app, with our site in it."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.admin import checks as of_admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.core import checks


class NovellaAdminConfig(SimpleAdminConfig):
    """The admin, whose pages are loaded with the routes (`cloud.config.urls`): only the API shows any."""

    default_site = "cloud.config.admin_site.NovellaSite"

    def ready(self) -> None:
        checks.register(of_admin.check_dependencies, checks.Tags.admin)
        checks.register(_check_pages, checks.Tags.admin)


def _check_pages(app_configs: Sequence[Any] | None, **options: Any) -> list[Any]:
    """Check the pages as Django does, which looks at those that are loaded."""
    import_module(settings.ROOT_URLCONF)
    return list(of_admin.check_admin_app(app_configs, **options))
