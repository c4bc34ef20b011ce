"""Who may use a flavor that is not public."""

from django.db import transaction

from cloud.compute.errors import FlavorAccessExists, FlavorAccessNotFound
from cloud.compute.models import Flavor, FlavorAccess
from cloud.compute.selectors.flavors import lock_flavor


def add_access(flavor: Flavor, project_id: str) -> None:
    """Let a project use the flavor.

    Raises:
        FlavorAccessExists: it may already.
    """
    with transaction.atomic():
        _, is_new = FlavorAccess.objects.get_or_create(flavor=lock_flavor(flavor), project_id=project_id)
    if not is_new:
        raise FlavorAccessExists(flavor_id=flavor.flavorid, project_id=project_id)


def remove_access(flavor: Flavor, project_id: str) -> None:
    """Take the flavor from a project.

    Raises:
        FlavorAccessNotFound: it could not use it.
    """
    deleted, _ = FlavorAccess.objects.filter(flavor=flavor, project_id=project_id).delete()
    if not deleted:
        raise FlavorAccessNotFound(flavor_id=flavor.flavorid, project_id=project_id)
