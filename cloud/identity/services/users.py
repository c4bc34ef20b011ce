"""Making, changing and removing users."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from cloud.identity.errors import FieldIsImmutable
from cloud.identity.models import User
from cloud.identity.passwords import hashed
from cloud.identity.selectors import people
from cloud.identity.services import revocations
from cloud.identity.services.authentication import check_password
from cloud.identity.services.storing import split, text, unique_name

_COLUMNS = ("name", "domain_id", "email", "description", "enabled", "default_project_id", "password")
_TEXTS = ("email", "description", "default_project_id")


def create_user(fields: dict[str, Any], domain_id: str) -> User:
    """Make a user.

    Args:
        fields: the attributes; those without a column are kept as the client's own.
        domain_id: where no other is named.

    Raises:
        NoSuch: the domain. Duplicate: the name is taken in the domain.
    """
    columns, extra = split(fields, _COLUMNS)
    home = people.domain(columns.pop("domain_id", None) or domain_id)
    password = columns.pop("password", None)
    columns |= {name: text(columns[name]) for name in _TEXTS if name in columns}
    user = User(domain=home, extra=extra, **columns)
    user.password = hashed(password) if password is not None else make_password(None)
    with unique_name("user", user):
        user.save(force_insert=True)
    return user


def update_user(user_id: str, fields: dict[str, Any]) -> User:
    """Change a user. A new password or being disabled ends the user's tokens.

    Raises:
        NoSuch, Duplicate. FieldIsImmutable: the domain would change.
    """
    columns, extra = split(fields, _COLUMNS)
    columns |= {name: text(columns[name]) for name in _TEXTS if name in columns}
    with transaction.atomic():
        user = people.user(user_id, User.objects.select_for_update())
        if columns.pop("domain_id", user.domain_id) != user.domain_id:
            raise FieldIsImmutable(field="domain_id", kind="user")
        if "password" in columns:
            columns["password"] = make_password(columns["password"])
        if "password" in columns or not columns.get("enabled", True):
            user.token_generation += 1
        for name, value in columns.items():
            setattr(user, name, value)
        user.extra = user.extra | extra
        with unique_name("user", user):
            user.save()
        revocations.bump()
    return user


def delete_user(user_id: str) -> None:
    """Remove a user with all roles and application credentials. Raises NoSuch."""
    with transaction.atomic():
        people.user(user_id).delete()
        revocations.bump()


def change_password(user_id: str, original: str, password: str) -> None:
    """Let users change their own password, which ends their tokens.

    Raises:
        AuthenticationFailed: the original is wrong, or there is no such user.
    """
    check_password({"id": user_id}, original)
    update_user(user_id, {"password": password})
