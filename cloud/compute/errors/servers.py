"""Refusals about servers."""

from cloud.core.errors import Conflict, Forbidden, Invalid, NotFound


class InstanceNotFound(NotFound):
    """Instance {uuid} could not be found."""


class ClientTokenReused(Conflict):
    """The client token {token} belongs to another request of the last 24 hours; choose a new one."""


class ClientTokenSpent(Conflict):
    """The servers that were made with the client token {token} are deleted; choose a new one."""


class InstanceLocked(Conflict):
    """Instance {uuid} is locked"""


class InstanceNotReady(Conflict):
    """Instance {uuid} is not ready"""


class UnknownFlavor(Invalid):
    """Flavor {flavor_id} could not be found."""


class UnknownImage(Invalid):
    """Can not find requested image"""


class UnknownKeyPair(Invalid):
    """Invalid key_name provided."""


class UnknownServerGroup(Invalid):
    """Instance group {group_id} could not be found."""


class UnknownZone(Invalid):
    """The requested availability zone is not available"""


class UnknownHost(Invalid):
    """Compute host {host} could not be found."""


class UnfitHost(Invalid):
    """The image cannot run on the server's host, which does not offer: {wanted}"""


class HostFull(Conflict):
    """The server's host has no room for the larger disk that this image needs."""


class HostTooOld(Conflict):
    """The server's host runs an older release, which cannot carry out: {action}"""


class SameFlavor(Invalid):
    """When resizing, instances must change flavor!"""


class SameHost(Invalid):
    """The target host can't be the same one."""


class CannotShrinkDisk(Invalid):
    """Resize error: Unable to resize disk down."""


class NotResized(Invalid):
    """Instance has not been resized."""


class FlavorTooSmall(Invalid):
    """Flavor's {resource} is too small for requested image."""


class TooManyItems(Forbidden):
    """Maximum number of metadata items exceeds {limit}"""


class TooManyTags(Invalid):
    """The number of tags exceeded the per-server limit {limit}"""


class TagNotFound(NotFound):
    """Server {uuid} has no tag '{tag}'"""


class MetadataItemNotFound(NotFound):
    """Metadata item was not found"""


class ConsoleUnavailable(NotFound):
    """The console log of instance {uuid} is not available."""


class ActionNotFound(NotFound):
    """Action for request_id {request_id} on instance {uuid} not found"""
