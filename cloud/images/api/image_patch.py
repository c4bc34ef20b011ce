"""JSON patch for images: RFC 6902's add, replace and remove, on attributes one level deep.

Source: https://docs.openstack.org/api-ref/image/v2/#update-image
"""

from typing import Any

from cloud.core.errors import Conflict, Invalid
from cloud.core.validation import check_body
from cloud.images.api.image_schemas import PROPERTY, READ_ONLY, RESERVED, RESERVED_PREFIX, WRITABLE
from cloud.images.errors import AttributeReadOnly, AttributeReserved
from cloud.images.models import Image

_OPERATIONS = ("add", "replace", "remove")
# What removing a standard attribute leaves behind; the others cannot be removed.
_REMOVABLE: dict[str, Any] = {"name": None, "tags": [], "disk_format": None, "container_format": None}
_CREATE_ONLY = frozenset({"id"})


def refuse_unwritable(name: str) -> None:
    """Refuse to set what is ours. Raises AttributeReadOnly, AttributeReserved."""
    if name in READ_ONLY:
        raise AttributeReadOnly(name=name)
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        raise AttributeReserved(name=name)


def apply_patch(image: Image, tags: list[str], changes: list[dict[str, Any]]) -> list[str]:
    """Change an image in memory, all or nothing.

    Args:
        image: changed in place.
        tags: its tags now.
        changes: the patch.

    Returns:
        The new tags.

    Raises:
        Invalid, Conflict, AttributeReadOnly, AttributeReserved
    """
    image.properties = dict(image.properties)
    for change in changes:
        operation, name = _read(change)
        refuse_unwritable(name)
        if name in _CREATE_ONLY:
            raise AttributeReadOnly(name=name)
        if operation != "remove" and "value" not in change:
            raise Invalid(f'Operation "{operation}" requires a member named "value".')
        if name == "tags":
            tags = _tags([] if operation == "remove" else change["value"])
        elif name in WRITABLE:
            _set_column(image, operation, name, change.get("value"))
        else:
            _set_property(image.properties, operation, name, change.get("value"))
    return tags


def _read(change: dict[str, Any]) -> tuple[str, str]:
    # Two forms are in use: {"op": "add", "path": "/name"} and, older, {"add": "/name"}.
    operation = change.get("op") or next((word for word in _OPERATIONS if word in change), None)
    pointer = change.get("path") if "op" in change else change.get(operation or "")
    if operation is None or not isinstance(pointer, str):
        raise Invalid('Each operation needs an "op" of add, replace or remove, and a "path".')
    if not pointer.startswith("/") or pointer == "/" or "//" in pointer:
        raise Invalid(f'Pointer `{pointer[:80]}` does not start with "/" and name an attribute.')
    name = pointer[1:].replace("~1", "/").replace("~0", "~")
    if "/" in pointer[1:]:
        raise Invalid(f"Pointer `{pointer[:80]}` names nothing that can be changed.")
    return operation, name


def _tags(value: Any) -> list[str]:
    check_body(_TAGS_SCHEMA, {"tags": value})
    return list(dict.fromkeys(value))


_TAGS_SCHEMA = {"type": "object", "properties": {"tags": WRITABLE["tags"]}}
_COLUMN_SCHEMAS = {
    name: {"type": "object", "properties": {name: schema}} for name, schema in WRITABLE.items()
}
_PROPERTY_SCHEMA = {"type": "object", "additionalProperties": PROPERTY}


def _set_column(image: Image, operation: str, name: str, value: Any) -> None:
    if operation == "remove":
        if name not in _REMOVABLE:
            raise AttributeReadOnly(f"Attribute '{name}' cannot be removed.")
        value = _REMOVABLE[name]
    check_body(_COLUMN_SCHEMAS[name], {name: value})
    setattr(image, name, value)


def _set_property(properties: dict[str, str], operation: str, name: str, value: Any) -> None:
    if operation != "add" and name not in properties:
        raise Conflict(f"Property {name[:80]} does not exist.")
    if operation == "remove":
        del properties[name]
        return
    check_body(_PROPERTY_SCHEMA, {name: value})
    properties[name] = value
