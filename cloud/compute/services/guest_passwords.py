"""Passwords that guests made for themselves: taken from the host that a server is placed on, shown to its owner.

One is kept once; until its owner has it forgotten, another is not taken.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef

from cloud.compute.errors import InstanceNotFound
from cloud.compute.models import GuestPassword, Instance
from contracts.guests import PasswordKept

_AT_ONCE = 5_000


def of(instance_uuid: str) -> str:
    """Return a server's password, empty for none."""
    return GuestPassword.objects.filter(pk=instance_uuid).values_list("password", flat=True).first() or ""


def keep(host: str, instance_uuid: str, password: str) -> PasswordKept:
    """Keep what a guest gave its host, unless there is one; an empty password only asks.

    Raises:
        InstanceNotFound: the host has no such server.
    """
    if not Instance.objects.filter(uuid=instance_uuid, host=host, deleted=False).exists():
        raise InstanceNotFound(uuid=instance_uuid)
    found = of(instance_uuid)
    if found or not password:
        return PasswordKept(password=found)
    with transaction.atomic():
        row, is_new = GuestPassword.objects.get_or_create(pk=instance_uuid, defaults={"password": password})
    return PasswordKept(password=row.password, is_new=is_new)


def forget(instance_uuid: str) -> None:
    """Have none kept."""
    GuestPassword.objects.filter(pk=instance_uuid).delete()


def prune() -> int:
    """Forget those of servers that are deleted, a bounded number of them; return how many."""
    gone = GuestPassword.objects.filter(Exists(Instance.objects.filter(uuid=OuterRef("pk"), deleted=True)))
    ids = list(gone.values_list("pk", flat=True)[:_AT_ONCE])
    GuestPassword.objects.filter(pk__in=ids).delete()
    return len(ids)
