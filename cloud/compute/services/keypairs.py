"""Importing, making and removing key pairs."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from cloud.compute.errors import KeyPairExists, KeyPairNotFound
from cloud.compute.models import KeyPair
from cloud.compute.services.ssh_keys import SSH, fingerprint, generate
from cloud.core.context import RequestContext
from cloud.core.errors import QuotaExceeded
from cloud.identity.models import User
from cloud.identity.services import quotas


@dataclass(frozen=True)
class KeyPairRequest:
    """What is asked: without a public key, one is made."""

    user_id: str
    name: str
    kind: str = SSH
    public_key: str | None = None


def create_keypair(context: RequestContext, asked: KeyPairRequest) -> tuple[KeyPair, str]:
    """Keep a public key under a name.

    Returns:
        The row, and the private key where one was made, else ''.

    Raises:
        InvalidKeyPair: the public key is none.
        KeyPairExists: the user has one of this name.
        QuotaExceeded: the user has as many as the project allows.
    """
    private_key, public_key = "", asked.public_key
    if public_key is None:
        private_key, public_key = generate(asked.kind, asked.user_id)
    row = KeyPair(
        user_id=asked.user_id, name=asked.name, type=asked.kind, public_key=public_key,
        fingerprint=fingerprint(asked.kind, public_key),
    )  # fmt: skip
    with transaction.atomic():
        _check_room(context, asked)
        _insert(row)
    return row, private_key


def delete_keypair(user_id: str, name: str) -> None:
    """Remove a key pair. Servers keep the key they were made with.

    Raises:
        KeyPairNotFound
    """
    deleted, _ = KeyPair.objects.filter(user_id=user_id, name=name).delete()
    if not deleted:
        raise KeyPairNotFound(name=name, user_id=user_id)


def _check_room(context: RequestContext, asked: KeyPairRequest) -> None:
    # Locking the user makes counting safe: two imports at once wait for each other.
    list(User.objects.select_for_update().filter(id=asked.user_id).values_list("id"))
    own = KeyPair.objects.filter(user_id=asked.user_id)
    if own.filter(name=asked.name).exists():
        raise KeyPairExists(name=asked.name)
    limit = quotas.limits(context.project_id, ["key_pairs"])["key_pairs"]
    if limit != quotas.UNLIMITED and own.count() >= limit:
        raise QuotaExceeded("Quota exceeded, too many key pairs.")


def _insert(row: KeyPair) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise KeyPairExists(name=row.name) from None
