"""What storing a domain, project, user or role has in common: attributes of the client's own, and unique names."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model

from cloud.identity.errors import Duplicate

# Ours alone to say; a client that sends back what it read means no harm.
_IGNORED = frozenset({"id", "links", "password_expires_at", "is_domain", "created_at"})


def split(fields: dict[str, Any], columns: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what goes to columns, and what is kept as the client's own attributes."""
    own = {name: value for name, value in fields.items() if name in columns}
    extra = {name: value for name, value in fields.items() if name not in columns and name not in _IGNORED}
    return own, extra


def text(value: str | None) -> str:
    """Return a text; null is none."""
    return value or ""


@contextmanager
def unique_name(kind: str, row: Model) -> Iterator[None]:
    """Turn the database's refusal of a name that is taken into a 409.

    Raises:
        Duplicate
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Duplicate(kind=kind, name=getattr(row, "name", "")) from error
