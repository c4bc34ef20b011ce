"""Column helpers shared by the models of all domains."""

import uuid

from django.db import models


def new_uuid() -> str:
    """Return a random uuid with dashes."""
    return str(uuid.uuid4())


def new_hex_id() -> str:
    """Return a random uuid of 32 hex digits, as Keystone's ids are."""
    return uuid.uuid4().hex


def uuid_field(**options: object) -> models.CharField:
    """Return a column for a uuid with dashes. Text, because it goes in and out of JSON unchanged."""
    return models.CharField(max_length=36, **options)  # type: ignore[arg-type]


def id_field(**options: object) -> models.CharField:
    """Return a column for the id of a user, project, domain or role."""
    return models.CharField(max_length=64, **options)  # type: ignore[arg-type]
