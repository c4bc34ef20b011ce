"""Address scopes made, changed and removed.

Source: https://docs.openstack.org/api-ref/network/v2/#address-scopes
"""

from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from cloud.core.context import RequestContext
from cloud.networks.errors import AddressScopeInUse, AddressScopeUpdateError
from cloud.networks.models import AddressScope
from cloud.networks.selectors.owned import lock_address_scope
from cloud.networks.services import rbac
from cloud.networks.services.changing import renamed, save_changes


def create_scopes(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make scopes, all or none, from the API's attributes with their `project_id`; return their ids."""
    with transaction.atomic():
        return [AddressScope.objects.create(**renamed(item, {}, without=("tenant_id",))).id for item in wanted]


def update_scope(context: RequestContext, scope_id: str, values: dict[str, Any]) -> None:
    """Change a scope.

    Raises:
        AddressScopeNotFound
        AddressScopeUpdateError: it is shared, and stays so.
    """
    with transaction.atomic():
        scope = lock_address_scope(context, scope_id)
        if scope.shared and values.get("shared") is False:
            raise AddressScopeUpdateError(address_scope_id=scope_id)
        save_changes(scope, values)


def delete_scope(context: RequestContext, scope_id: str) -> None:
    """Remove a scope. Raises AddressScopeNotFound, and AddressScopeInUse while pools are in it."""
    with transaction.atomic():
        scope = lock_address_scope(context, scope_id)
        try:
            scope.delete()
            rbac.forget([scope_id])
        except ProtectedError:
            raise AddressScopeInUse(address_scope_id=scope_id) from None
