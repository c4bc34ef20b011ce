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


class TargetHostNotFound(NotFound):
    """Compute host {host} not found."""


class HostInUse(Invalid):
    """Compute service of {host} is still in use."""


class HostNotFenced(Conflict):
    """Host {host} {lack}. Make sure that the machine is off, then say so: openstack compute service set --down {host} nova-compute"""  # noqa: E501 - one sentence to copy from


class HostNotClean(Conflict):
    """Host {host} may still have {count} servers that left it while it was off, or are just being evacuated. Start its agent: it is told to remove them, and once it has, the host may be up again."""  # noqa: E501 - one sentence to read


class ImageGone(Conflict):
    """The image {image} is gone, and without it the server cannot be made anew on another host."""


class UnfinishedMove(Conflict):
    """The server's last move came to no end; revert it first, which brings it back to host {host}."""


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
