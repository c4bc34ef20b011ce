"""Leases on the database's clock: who does a thing that one shall do at a time.

A lease is taken, and held on to, by one conditional UPDATE. Its generation grows with every new holder. A holder that
was paused and comes back late asks `confirm` in the transaction of what it writes: there the lease's row is locked, so
nobody takes it over before that is committed. What is a compare-and-swap by itself needs no asking.
"""

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import Case, F, Q, When

from cloud.core.clock import database_now
from cloud.core.models import Lease


@dataclass(frozen=True)
class Held:
    """A lease as one holder got it."""

    name: str
    holder: str
    generation: int


class LeaseLost(Exception):
    """Somebody else holds the lease now; what was done under it must not be written."""


def new_holder() -> str:
    """Return a name that tells where the holder is, and is nobody else's."""
    return f"{socket.gethostname()[:64]}/{os.getpid()}/{uuid.uuid4().hex[:8]}"


def take(name: str, holder: str, seconds: float) -> Held | None:
    """Take a lease that is free, or hold on to one's own; None when somebody else has it.

    Args:
        name: of what is done.
        holder: who does it, from `new_holder`.
        seconds: how long, unless it is taken again before.
    """
    now = database_now()
    expires_at = now + timedelta(seconds=seconds)
    free = Q(expires_at__lte=now)
    mine = Q(holder=holder, expires_at__gt=now)
    generation = Case(When(mine, then=F("generation")), default=F("generation") + 1)
    rows = Lease.objects.filter(free | mine, name=name)
    taken = rows.update(holder=holder, expires_at=expires_at, generation=generation)
    if not taken:
        row, is_new = Lease.objects.get_or_create(name=name, defaults={"holder": holder, "expires_at": expires_at})
        return Held(name, holder, row.generation) if is_new else None
    # Only who holds it changes its generation, and whoever has taken it since is another holder.
    found = Lease.objects.filter(name=name, holder=holder).values_list("generation", flat=True).first()
    return None if found is None else Held(name, holder, found)


def is_held(name: str) -> bool:
    """Tell whether somebody holds the lease now."""
    return Lease.objects.filter(name=name, expires_at__gt=database_now()).exists()


def has_lapsed(name: str) -> bool:
    """Tell whether somebody held the lease once and nobody holds it now."""
    return Lease.objects.filter(name=name, expires_at__lte=database_now()).exists()


def give_back(held: Held) -> None:
    """Let the next one have it at once."""
    Lease.objects.filter(name=held.name, generation=held.generation, holder=held.holder).update(
        expires_at=database_now()
    )


def confirm(held: Held) -> None:
    """Make sure that the lease is still held, until the current transaction ends.

    Raises:
        LeaseLost: it is not; roll back.
    """
    rows = Lease.objects.filter(name=held.name, generation=held.generation, holder=held.holder)
    if connection.features.has_select_for_update:
        rows = rows.select_for_update()
    if not rows.exists():
        raise LeaseLost(held.name)
