"""Django's login for the admin UI: users of the default domain."""

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from cloud.identity.models import User
from cloud.identity.passwords import matches


class DefaultDomainBackend(BaseBackend):
    """Lets enabled users of the default domain log in by name and password."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None
    ) -> User | None:
        """Return the user, or None. A name that does not exist takes as long as a wrong password."""
        user = User.objects.filter(domain_id="default", domain__enabled=True, name=username or "").first()
        fits = matches(password or "", user.password if user else None)
        return user if user and fits and user.enabled else None

    def get_user(self, user_id: str) -> User | None:
        """Return the user of a session."""
        return User.objects.filter(pk=user_id, enabled=True, domain__enabled=True).first()
