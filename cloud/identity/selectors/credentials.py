"""Finding application credentials, always through their user."""

from django.http import QueryDict

from cloud.identity.errors import NoSuch
from cloud.identity.models import ApplicationCredential
from cloud.identity.selectors.pages import Filters, Page, page_of

_FILTERS = Filters()


def page(user_id: str, query: QueryDict) -> Page:
    """Return a page of a user's credentials with their roles."""
    rows = ApplicationCredential.objects.filter(user_id=user_id).prefetch_related("roles")
    return page_of(_FILTERS.narrow(rows, query), query)


def one(user_id: str, credential_id: str) -> ApplicationCredential:
    """Return a user's credential. Raises NoSuch."""
    found = ApplicationCredential.objects.filter(user_id=user_id, pk=credential_id).first()
    if found is None:
        raise NoSuch(kind="Application Credential", id=credential_id[:64])
    return found
