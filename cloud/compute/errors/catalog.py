"""Refusals about flavors, keys, hosts and groups."""

from cloud.core.errors import Conflict, Invalid, NotFound


class FlavorNotFound(NotFound):
    """Flavor {flavor_id} could not be found."""


class FlavorExists(Conflict):
    """Flavor with {attribute} {value} already exists."""


class FlavorAccessExists(Conflict):
    """Flavor access already exists for flavor {flavor_id} and project {project_id} combination."""


class FlavorAccessNotFound(NotFound):
    """Flavor access not found for {flavor_id} / {project_id} combination."""


class KeyPairNotFound(NotFound):
    """Keypair {name} not found for user {user_id}"""


class KeyPairExists(Conflict):
    """Key pair '{name}' already exists."""


class InvalidKeyPair(Invalid):
    """Keypair data is invalid: {reason}"""


class AggregateNotFound(NotFound):
    """Aggregate {aggregate_id} could not be found."""


class AggregateNameExists(Conflict):
    """Aggregate {name} already exists."""


class AggregateHostExists(Conflict):
    """Aggregate {aggregate_id} already has host {host}."""


class HostNotFound(NotFound):
    """Compute host {host} could not be found."""


class ServiceNotFound(NotFound):
    """Service {service_id} could not be found."""


class ServerGroupNotFound(NotFound):
    """Instance group {group_id} could not be found."""
