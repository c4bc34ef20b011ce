"""Column helpers shared by the models of all domains, and the tables of the machinery below them (cell)."""

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


class UnsentOrder(models.Model):
    """An order that no step row owns, from the commit that decided it until the broker has it.

    Attributes:
        name: the command, a key of `contracts.compute.COMMANDS`.
        wire: the order in wire form, without any signature: that is made when it is sent.
        send_at: when a reconciler sends it, if it is still here.
        not_after: when it is of no use any more, as the order says.
    """

    name = models.CharField(max_length=64)
    host = models.CharField(max_length=64)
    instance_uuid = uuid_field()
    wire = models.JSONField()
    created_at = models.DateTimeField()
    send_at = models.DateTimeField(db_index=True)
    not_after = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} of {self.instance_uuid} on {self.host}"


class Lease(models.Model):
    """Who does a thing that one shall do at a time, and until when by the database's clock.

    `generation` grows with every new holder: what an earlier one writes late is told by it.
    """

    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=128)
    generation = models.BigIntegerField(default=1)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} of {self.holder}"
