"""RBAC policies."""

from cloud.networks.api import crud
from cloud.networks.api.collection import Body, Collection
from cloud.networks.api.schemas import ID, PROJECT
from cloud.networks.errors import RbacPolicyNotFound
from cloud.networks.selectors import visible
from cloud.networks.selectors.rows import Row, rbac_rows
from cloud.networks.services import rbac

_TARGET = {**PROJECT, "minLength": 1, "maxLength": 64}


def view(row: Row) -> Body:
    """Return a policy's body."""
    shown = {name: row[name] for name in ("id", "project_id", "object_type", "object_id", "action")}
    return {**shown, "target_tenant": row["target_project"]}


POLICIES = Collection(
    "rbac_policy", "rbac_policies", "rbac-policies", visible.rbac_policies, rbac_rows, view,
    lambda one: RbacPolicyNotFound(policy_id=one),
)
ROUTES = crud.routes(crud.Resource(
    POLICIES,
    properties={"target_tenant": _TARGET},
    fixed={"object_type": {"enum": list(rbac.OBJECT_TYPES)}, "object_id": ID, "action": {"enum": list(rbac.ACTIONS)}},
    required=("object_type", "object_id", "action", "target_tenant"),
    make=rbac.create_policies,
    update=rbac.update_policy,
    delete=rbac.delete_policy,
))
