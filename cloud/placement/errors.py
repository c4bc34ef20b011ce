"""What placement refuses."""

from collections.abc import Iterable

from cloud.core.errors import Conflict, NotFound


class ClaimConflict(Conflict):
    """The host cannot hold what was asked of it (any more)."""

    code = "placement.concurrent_update"

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        self.hosts = sorted(set(hosts))
        super().__init__(f"Not enough is left on {', '.join(self.hosts)}." if self.hosts else "")


class ProviderNotFound(NotFound):
    """No resource provider with uuid {uuid} found."""


class InventoryNotFound(NotFound):
    """No inventory of class {resource_class} found for resource provider {uuid}."""


class ResourceClassNotFound(NotFound):
    """No such resource class {name}."""


class TraitNotFound(NotFound):
    """No such trait {name}."""
