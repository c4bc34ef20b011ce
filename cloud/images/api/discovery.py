"""What a client asks before it starts: versions, schemas, import methods, stores."""

from typing import Any

from cloud.core.endpoints import ApiRequest, Reply, endpoint
from cloud.core.errors import NotFound
from cloud.images.api.image_schemas import CREATE, MEMBER_CREATE, READ_ONLY, WRITABLE

_VERSIONS = ("v2.17", "v2.16", "v2.15", "v2.9", "v2.7", "v2.6", "v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0")
_READ_ONLY_TEXT = {name: {"type": ["null", "string", "integer"], "readOnly": True} for name in sorted(READ_ONLY)}
_IMAGE = {
    "name": "image",
    "properties": {**WRITABLE, **_READ_ONLY_TEXT},
    "additionalProperties": CREATE["additionalProperties"],
    "links": [{"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"},
              {"rel": "describedby", "href": "{schema}"}],
}
_MEMBER = {"name": "member", "properties": {
    **MEMBER_CREATE["properties"], "member_id": {"type": "string"}, "status": {"type": "string"},
    "image_id": {"type": "string"}, "created_at": {"type": "string"}, "updated_at": {"type": "string"},
    "schema": {"type": "string"},
}}


def _list_of(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "properties": {name: {"type": "array", "items": schema}, "schema": {"type": "string"}},
            "links": [{"rel": "describedby", "href": "{schema}"}]}


def _definition(name: str, *properties: str) -> dict[str, Any]:
    return {"name": name, "properties": {one: {"type": "string"} for one in properties}, "additionalProperties": False}


_NAMESPACE = _definition("namespace", "namespace", "display_name", "description", "visibility", "owner")
_RESOURCE_TYPE = _definition("resource_type_association", "name", "prefix", "properties_target")
_OBJECT = _definition("object", "name", "description")
_PROPERTY = _definition("property", "name", "title", "type")
_TAG = _definition("tag", "name")
SCHEMAS: dict[str, dict[str, Any]] = {
    "image": _IMAGE,
    "images": _list_of("images", _IMAGE),
    "member": _MEMBER,
    "members": _list_of("members", _MEMBER),
    "metadefs/namespace": _NAMESPACE,
    "metadefs/namespaces": _list_of("namespaces", _NAMESPACE),
    "metadefs/resource_type": _RESOURCE_TYPE,
    "metadefs/resource_types": _list_of("resource_type_associations", _RESOURCE_TYPE),
    "metadefs/object": _OBJECT,
    "metadefs/objects": _list_of("objects", _OBJECT),
    "metadefs/property": _PROPERTY,
    "metadefs/properties": _list_of("properties", _PROPERTY),
    "metadefs/tag": _TAG,
    "metadefs/tags": _list_of("tags", _TAG),
}


def _versions(url: str) -> dict[str, Any]:
    links = [{"rel": "self", "href": f"{url}/v2/"}]
    return {"versions": [
        {"id": name, "status": "CURRENT" if name == _VERSIONS[0] else "SUPPORTED", "links": links}
        for name in _VERSIONS
    ]}


@endpoint("", status=300)
def choices(request: ApiRequest) -> Reply:
    """The versions that there are."""
    return Reply(_versions(request.url), headers={"Location": f"{request.url}/v2/"})


@endpoint("")
def versions(request: ApiRequest) -> dict[str, Any]:
    """The versions that there are."""
    return _versions(request.url)


@endpoint("image:discovery")
def schema(request: ApiRequest, name: str) -> dict[str, Any]:
    """A JSON schema of what the service answers."""
    if name not in SCHEMAS:
        raise NotFound
    return SCHEMAS[name]


@endpoint("image:discovery")
def import_methods(request: ApiRequest) -> dict[str, Any]:
    """The import methods: none, data is uploaded."""
    return {"import-methods": {"description": "Import methods available.", "type": "array", "value": []}}


@endpoint("image:discovery")
def stores(request: ApiRequest) -> dict[str, Any]:
    """The stores: one."""
    return {"stores": [{"id": "file", "description": "Files of the image service", "default": "true"}]}
