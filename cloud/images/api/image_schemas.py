"""What an image may carry: one table of its attributes serves create, update and the published schema."""

from typing import Any

DISK_FORMATS = ("ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop", "gpt")
CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
VISIBILITIES = ("public", "private", "shared", "community")
STATUSES = (
    "queued", "saving", "active", "killed", "deleted", "uploading", "importing", "pending_delete", "deactivated",
)

_TEXT = {"type": ["null", "string"], "maxLength": 255, "format": "printable"}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 2147483647}
TAG = {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable"}

# What a client may set.
WRITABLE: dict[str, dict[str, Any]] = {
    "name": _TEXT,
    "visibility": {"type": "string", "enum": list(VISIBILITIES)},
    "disk_format": {"type": ["null", "string"], "enum": [None, *DISK_FORMATS]},
    "container_format": {"type": ["null", "string"], "enum": [None, *CONTAINER_FORMATS]},
    "min_disk": _COUNT,
    "min_ram": _COUNT,
    "protected": {"type": "boolean"},
    "os_hidden": {"type": "boolean"},
    "owner": {"type": ["null", "string"], "maxLength": 64, "format": "printable"},
    "tags": {"type": "array", "items": TAG, "maxItems": 128},
    "id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
}
READ_ONLY = frozenset({
    "status", "size", "virtual_size", "checksum", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self",
    "file", "schema", "direct_url", "first", "next",
})
RESERVED = frozenset({"location", "locations", "deleted", "deleted_at", "is_public", "members", "pk_id", "properties"})
RESERVED_PREFIX = "os_glance"

PROPERTY = {"type": "string", "maxLength": 65535, "format": "printable"}
CREATE = {
    "type": "object",
    "properties": WRITABLE,
    "propertyNames": {"minLength": 1, "maxLength": 255, "format": "printable"},
    "additionalProperties": PROPERTY,
}
PATCH = {
    "type": "array",
    "maxItems": 256,
    "items": {
        "type": "object",
        "properties": {
            "op": {"enum": ["add", "replace", "remove"]}, "path": {"type": "string", "maxLength": 512}, "value": {},
            "add": {"type": "string"}, "replace": {"type": "string"}, "remove": {"type": "string"},
        },
    },
}
MEMBER_CREATE = {
    "type": "object",
    "properties": {"member": {"type": "string", "minLength": 1, "maxLength": 64, "format": "printable"}},
    "required": ["member"],
}
MEMBER_UPDATE = {
    "type": "object",
    "properties": {"status": {"enum": ["pending", "accepted", "rejected"]}},
    "required": ["status"],
}
