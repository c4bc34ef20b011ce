"""Extra specs: what a flavor says beyond its size."""

from collections.abc import Mapping

from django.db import transaction

from cloud.compute.models import Flavor
from cloud.compute.selectors.flavors import lock_flavor
from cloud.core.errors import NotFound


def set_extra_specs(flavor: Flavor, specs: Mapping[str, object]) -> None:
    """Add or overwrite extra specs. Values become text."""
    with transaction.atomic():
        row = lock_flavor(flavor)
        row.extra_specs = {**row.extra_specs, **{key: str(value) for key, value in specs.items()}}
        row.save(update_fields=["extra_specs", "updated_at"])


def delete_extra_spec(flavor: Flavor, key: str) -> None:
    """Remove one extra spec.

    Raises:
        NotFound: the flavor has none of this name.
    """
    with transaction.atomic():
        row = lock_flavor(flavor)
        if key not in row.extra_specs:
            raise no_such_spec(flavor, key)
        del row.extra_specs[key]
        row.save(update_fields=["extra_specs", "updated_at"])


def no_such_spec(flavor: Flavor, key: str) -> NotFound:
    """Return the refusal for a missing extra spec."""
    return NotFound(f"Flavor {flavor.flavorid} has no extra specs with key {key}.")
