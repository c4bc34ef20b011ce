"""Tags of images, one at a time."""

from cloud.core.endpoints import ApiRequest, endpoint
from cloud.core.errors import NotFound
from cloud.core.validation import check_body
from cloud.images import selectors
from cloud.images.api.image_schemas import TAG
from cloud.images.models import ImageTag
from cloud.images.services import images

_SCHEMA = {"type": "object", "properties": {"tag": TAG}}


@endpoint("image:modify_image", status=204)
def add(request: ApiRequest, image_id: str, tag: str) -> None:
    """Add a tag; one that is there already is a success."""
    check_body(_SCHEMA, {"tag": tag})
    image = selectors.find_own(request.context, image_id)
    tags = list(image.tag_rows.values_list("value", flat=True))
    if tag not in tags:
        images.update_image(request.context, image, [*tags, tag])


@endpoint("image:modify_image", status=204)
def remove(request: ApiRequest, image_id: str, tag: str) -> None:
    """Remove a tag."""
    image = selectors.find_own(request.context, image_id)
    if not ImageTag.objects.filter(image=image, value=tag).delete()[0]:
        raise NotFound(f"The image {image.id} has no tag {tag[:80]}.")
