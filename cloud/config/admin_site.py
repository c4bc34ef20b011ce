"""The admin site: what it is called, in which order it shows the rooms, and how one's own password is changed."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from cloud.identity.services.users import update_user

# What an operator looks at most often comes first; what is not named here follows by name.
_APPS = ("compute", "images", "networks", "placement", "identity", "django_celery_results")
_MODELS = ("Instance", "Operation", "Step", "Migration", "Service", "ComputeNode", "HostCredential", "Flavor",
           "Network", "Project", "User")


class OwnPasswordForm(AdminPasswordChangeForm):
    """Changes a password the way the API does, which ends the tokens that were issued with the old one."""

    def save(self, commit: bool = True) -> Any:  # noqa: FBT001, FBT002  Django's signature
        """Store the password."""
        update_user(str(self.user.pk), {"password": self.cleaned_data["new_password1"]})
        self.user.refresh_from_db()
        return self.user


class NovellaSite(AdminSite):
    """The operators' window into the cloud."""

    site_header = "Novella"
    site_title = "Novella"
    index_title = "The cloud from inside"
    site_url = None

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the apps, and the models of each, in our order."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["models"].sort(key=lambda model: _place(_MODELS, model["object_name"]))
        return sorted(apps, key=lambda app: _place(_APPS, app["app_label"]))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Let operators change their own password."""
        view = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            template_name="registration/password_change_form.html",
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        request.current_app = self.name  # type: ignore[attr-defined]
        return view(request)


def _place(order: tuple[str, ...], name: str) -> int:
    return order.index(name) if name in order else len(order)
