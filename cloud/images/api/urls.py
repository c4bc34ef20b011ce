"""Routes of the Image API."""

from cloud.core.endpoints import route
from cloud.core.http import patterns, unknown_path
from cloud.images.api import discovery, files, host_files, images, members, tags
from cloud.images.api.service import SERVICE

_IMAGE = "/v2/images/<str:image_id>"
ROUTES = [
    route("", GET=discovery.choices),
    route("/", GET=discovery.choices),
    route("/versions", GET=discovery.versions),
    route("/v2/schemas/<path:name>", GET=discovery.schema),
    route("/v2/info/import", GET=discovery.import_methods),
    route("/v2/info/stores", GET=discovery.stores),
    route("/v2/images", GET=images.index, POST=images.create),
    route(_IMAGE, GET=images.show, PATCH=images.update, DELETE=images.delete),
    route(f"{_IMAGE}/tasks", GET=images.tasks),
    route(f"{_IMAGE}/file", PUT=files.upload, GET=files.download),
    route(f"{_IMAGE}/actions/deactivate", POST=images.deactivate),
    route(f"{_IMAGE}/actions/reactivate", POST=images.reactivate),
    route(f"{_IMAGE}/tags/<str:tag>", PUT=tags.add, DELETE=tags.remove),
    route(f"{_IMAGE}/members", GET=members.index, POST=members.create),
    route(f"{_IMAGE}/members/<str:member_id>", GET=members.show, PUT=members.update, DELETE=members.delete),
    route("/blobs/<str:image_id>", GET=host_files.fetch_image, PUT=host_files.leave_image),
    route("/transfers/<str:transfer_id>/<str:name>", GET=host_files.fetch_disk, PUT=host_files.leave_disk),
]
urlpatterns = [*patterns(SERVICE, ROUTES), unknown_path(SERVICE)]
