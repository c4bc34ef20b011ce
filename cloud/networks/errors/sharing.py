"""What is wrong with sharing a resource, or with making a network for somebody who asked for any."""

from cloud.core.errors import Conflict, NotFound


class RbacPolicyNotFound(NotFound):
    """RBAC policy {policy_id} could not be found."""


class RbacPolicyInUse(Conflict):
    """RBAC policy on object {object_id} cannot be removed because other objects depend on it."""


class DuplicateRbacPolicy(Conflict):
    """An RBAC policy already exists with those values."""


class AutoAllocationFailure(Conflict):
    """Deployment error: {reason}."""


class DefaultExternalNetworkExists(Conflict):
    """A default external network already exists: {network_id}."""


class TopologyNotFound(NotFound):
    """Project {project_id} has no auto-allocated topology."""
