"""Enrolling hosts and dismissing them: a row, and the Redis user that follows from it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from cloud.compute.errors import BadCredential, CredentialExists, CredentialNotFound
from cloud.compute.models import HostCredential, Service
from cloud.compute.services import broker_users
from cloud.compute.services.credential_secrets import key, redis_password, redis_user
from cloud.compute.services.host_services import change_service
from cloud.compute.services.host_states import COMPUTE
from cloud.compute.services.keyring import keyring
from cloud.core.clock import database_now
from contracts.credentials import credential_text
from contracts.routing import HOST_NAME

_MOST_HOSTS = 64
_MANY = "-*"
_REASON = "Credential: "


@dataclass(frozen=True)
class Issued:
    """A credential as its host gets it, this once."""

    name: str
    key: bytes = field(repr=False)
    password: str = field(repr=False)

    def text(self, redis_url: str = "") -> str:
        """Return the file that the agent reads; `redis_url` is where the host reaches Redis, if not as we do."""
        parts = urlsplit(redis_url or settings.REDIS_URL)
        place = parts.netloc.rpartition("@")[2]
        netloc = f"{quote(redis_user(self.name), safe='')}:{self.password}@{place}"
        return credential_text(self.name, self.key, urlunsplit(parts._replace(netloc=netloc)))


def enroll(name: str, hosts: Sequence[str] = (), *, renew: bool = False) -> Issued:
    """Make a credential and its Redis user.

    Args:
        name: of the credential.
        hosts: for whom it speaks: names, or beginnings like `fake-*` for a process of many; the name itself if empty.
        renew: end the credential of this name, if there is one, and make another for the same hosts.

    Raises:
        BadCredential: a name cannot be one, or belongs to another credential.
        CredentialExists: there is one, and `renew` is not set.
        redis.RedisError: the credential is made, its user is not; conductors make it when Redis is there.
    """
    _check_name(name)
    for one in hosts:
        _check_name(one.removesuffix(_MANY))
    with transaction.atomic():
        row = HostCredential.objects.select_for_update().filter(name=name).first()
        if row is not None and row.dismissed_at is None and not renew:
            raise CredentialExists(name=name)
        wanted = list(hosts) or (row.hosts if row else [name])
        _check_free(name, wanted)
        row = _write(name, wanted)
        _open(wanted)
    keyring.forget()
    issued = Issued(name, key(name, row.salt), redis_password(name, row.salt))
    broker_users.allow([row])
    broker_users.cut_off(name)
    return issued


def issued(name: str) -> Issued | None:
    """Return a living credential, for the machine that holds the secret which it was made with."""
    row = HostCredential.objects.filter(name=name).first()
    if row is None or not row.is_living:
        return None
    return Issued(name, key(name, row.salt), redis_password(name, row.salt))


def dismiss(name: str) -> None:
    """End a credential: nothing that is signed with it is believed from now on, and its user is gone.

    Its hosts get no new servers; what runs there runs on.

    Raises:
        CredentialNotFound
        redis.RedisError: its user is still there; conductors end it when Redis is there.
    """
    if not _end(name, "dismissed", dismissed_at=database_now()):
        raise CredentialNotFound(name=name)
    broker_users.remove(name)


def suspend(name: str, reason: str) -> bool:
    """Switch a credential off because of what it did; tell whether it was on. Raises redis.RedisError."""
    is_changed = _end(name, reason, suspended_at=database_now(), suspended_reason=reason[:255])
    broker_users.remove(name)
    return is_changed


def _end(name: str, reason: str, **columns: Any) -> bool:
    with transaction.atomic():
        rows = HostCredential.objects.select_for_update().filter(name=name, dismissed_at=None)
        row = rows.first()
        if row is None or (row.suspended_at and "suspended_at" in columns):
            return False
        rows.update(**columns, updated_at=database_now())
        for host in _known(row.hosts):
            change_service(host, COMPUTE, disabled=True, disabled_reason=f"{_REASON}{reason}"[:255])
    keyring.forget()
    return True


def _open(hosts: Sequence[str]) -> None:
    """Let hosts have servers again that had none because of an earlier credential."""
    for host in _known(hosts, disabled_reason__startswith=_REASON):
        change_service(host, COMPUTE, disabled=False, disabled_reason=None)


def _known(hosts: Sequence[str], **conditions: str) -> list[str]:
    exact = [one for one in hosts if not one.endswith("*")]
    wanted = Q(host__in=exact)
    for one in hosts:
        if one.endswith("*"):
            wanted |= Q(host__startswith=one.removesuffix("*"))
    return list(Service.objects.filter(wanted, binary=COMPUTE, **conditions).values_list("host", flat=True))


def _write(name: str, hosts: Sequence[str]) -> HostCredential:
    now = database_now()
    values = {
        "hosts": list(hosts), "salt": secrets.token_hex(16), "updated_at": now, "dismissed_at": None,
        "suspended_at": None, "suspended_reason": "",
    }  # fmt: skip
    row, _ = HostCredential.objects.update_or_create(
        name=name, defaults=values, create_defaults={**values, "created_at": now}
    )
    return row


def _check_name(name: str) -> None:
    if not HOST_NAME.fullmatch(name):
        raise BadCredential(f"{name!r} cannot be a host's name, nor with -* the beginning of several.")
    if name.endswith(".slow"):
        raise BadCredential("A name that ends in .slow would be the slow queue of another host.")


def _check_free(name: str, hosts: Sequence[str]) -> None:
    if len(hosts) > _MOST_HOSTS:
        raise BadCredential(f"Give the beginning of the names, like fake-*, for more than {_MOST_HOSTS} hosts.")
    others = HostCredential.objects.exclude(name=name).filter(dismissed_at=None)
    for other in others:
        taken = [one for one in hosts if any(_overlap(one, theirs) for theirs in other.hosts)]
        if taken:
            raise BadCredential(f"{', '.join(taken)} is enrolled as {other.name}; dismiss that first.")


def _overlap(one: str, other: str) -> bool:
    begins, also = one.removesuffix("*"), other.removesuffix("*")
    if one.endswith("*") and other.endswith("*"):
        return begins.startswith(also) or also.startswith(begins)
    if one.endswith("*"):
        return also.startswith(begins)
    return begins.startswith(also) if other.endswith("*") else one == other
