"""Members of images: with whom an image is shared."""

from typing import Any

from cloud.core.endpoints import ApiRequest, endpoint
from cloud.core.errors import Forbidden
from cloud.images import selectors
from cloud.images.api.image_schemas import MEMBER_CREATE, MEMBER_UPDATE
from cloud.images.api.image_views import member_view
from cloud.images.services import members


@endpoint("image:get_members")
def index(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """List the members of an image."""
    image = selectors.find(request.context, image_id)
    rows = members.of_image(request.context, image)
    return {"members": [member_view(row) for row in rows], "schema": "/v2/schemas/members"}


@endpoint("image:add_member", body=MEMBER_CREATE)
def create(request: ApiRequest, image_id: str) -> dict[str, Any]:
    """Share an image with a project."""
    image = selectors.find(request.context, image_id)
    if not request.context.is_admin and image.owner != request.context.project_id:
        raise Forbidden("Only the owner of the image may share it.")
    return member_view(members.add(image, request.body["member"]))


@endpoint("image:get_members")
def show(request: ApiRequest, image_id: str, member_id: str) -> dict[str, Any]:
    """Show a member."""
    image = selectors.find(request.context, image_id)
    return member_view(members.find(request.context, image, member_id))


@endpoint("image:modify_member", body=MEMBER_UPDATE)
def update(request: ApiRequest, image_id: str, member_id: str) -> dict[str, Any]:
    """Accept or reject a shared image."""
    image = selectors.find(request.context, image_id)
    member = members.find(request.context, image, member_id)
    members.set_status(request.context, member, request.body["status"])
    return member_view(member)


@endpoint("image:delete_member", status=204)
def delete(request: ApiRequest, image_id: str, member_id: str) -> None:
    """Stop sharing an image with a project."""
    image = selectors.find(request.context, image_id)
    members.remove(request.context, image, member_id)
