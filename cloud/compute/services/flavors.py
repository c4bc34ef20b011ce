"""Making, describing and removing flavors."""

from typing import Any

from django.db import IntegrityError, transaction

from cloud.compute.errors import FlavorExists
from cloud.compute.models import Flavor
from cloud.compute.selectors.flavors import lock_flavor
from cloud.core.models import new_uuid


def create_flavor(columns: dict[str, Any]) -> Flavor:
    """Make a flavor.

    Args:
        columns: of the model; without `flavorid` it gets a random one.

    Raises:
        FlavorExists: its name or id is taken.
    """
    flavor = Flavor(**{"flavorid": new_uuid(), **columns})
    _refuse_taken(flavor)
    try:
        with transaction.atomic():
            flavor.save(force_insert=True)
    except IntegrityError:
        _refuse_taken(flavor)
        raise
    return flavor


def describe_flavor(flavor: Flavor, description: str | None) -> Flavor:
    """Change the only thing about a flavor that may change.

    Raises:
        FlavorNotFound: somebody removed it in the meantime.
    """
    with transaction.atomic():
        row = lock_flavor(flavor)
        row.description = description
        row.save(update_fields=["description", "updated_at"])
    return row


def delete_flavor(flavor: Flavor) -> None:
    """Remove a flavor. Servers keep the copy that they were made with."""
    flavor.delete()


def _refuse_taken(flavor: Flavor) -> None:
    for attribute, column in (("name", "name"), ("ID", "flavorid")):
        value = getattr(flavor, column)
        if Flavor.objects.filter(**{column: value}).exists():
            raise FlavorExists(attribute=attribute, value=value)
