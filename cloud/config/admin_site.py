"""The admin site: what it is called, in which order it shows the rooms, and how one's own password is changed."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import DataError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
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


class CarefulAdmin:
    """A list that answers whatever its address and its form may hold, where Django's own would break."""

    opts: Any

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list; one that cannot be is as one that was misspelled: shown without its filters."""
        try:
            return super().get_changelist_instance(request)  # type: ignore[misc]
        except (ValueError, OverflowError, DataError) as error:
            raise IncorrectLookupParameters(error) from error

    def response_action(self, request: HttpRequest, queryset: models.QuerySet) -> HttpResponse | None:
        """Carry out an action on the rows that were selected, if these can be rows."""
        selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(_can_be(self.opts.pk, text) for text in selected):
            messages.error(request, "Nothing was done: what was selected is on no list.")
            return HttpResponseRedirect(request.get_full_path())
        answer: HttpResponse | None = super().response_action(request, queryset)  # type: ignore[misc]
        return answer


class NovellaSite(AdminSite):
    """The operators' window into the cloud."""

    site_header = "Novella"
    site_title = "Novella"
    index_title = "The cloud from inside"
    site_url = None

    def register(self, model_or_iterable: Any, admin_class: type[ModelAdmin] | None = None, **options: Any) -> None:
        """Register models with pages that are careful."""
        plain = admin_class or ModelAdmin
        careful = type(plain.__name__, (CarefulAdmin, plain), {"__module__": plain.__module__})
        super().register(model_or_iterable, careful, **options)

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


def _can_be(key: models.Field, text: str) -> bool:
    try:
        key.clean(text, None)
    except ValidationError:
        return False
    return "\0" not in text


def _place(order: tuple[str, ...], name: str) -> int:
    return order.index(name) if name in order else len(order)
