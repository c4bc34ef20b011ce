"""Tables of the image domain."""

from cloud.images.models.images import Image, ImageMember, ImageTag

__all__ = ["Image", "ImageMember", "ImageTag"]
