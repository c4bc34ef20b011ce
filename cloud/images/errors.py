"""What the image domain refuses."""

from cloud.core.errors import Conflict, Forbidden, Invalid, NotFound, UnsupportedMedia


class ImageNotFound(NotFound):
    """No image found with ID {image_id}"""


class ImageNotBootable(Invalid):
    """Image {image_id} is unacceptable: {reason}"""


class ImageProtected(Forbidden):
    """Image {image_id} is protected and cannot be deleted."""


class AttributeReadOnly(Forbidden):
    """Attribute '{name}' is read-only."""


class AttributeReserved(Forbidden):
    """Attribute '{name}' is reserved."""


class NotShareable(Forbidden):
    """Only shared images have members; this one's visibility is {visibility}."""


class UploadConflict(Conflict):
    """Image status transition from {status} to saving is not allowed"""


class HostileImage(UnsupportedMedia):
    """The image was refused: {reason}"""


class Truncated(Invalid):
    """The upload ended after {received} of {expected} bytes; nothing was kept."""
