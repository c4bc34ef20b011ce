"""Schemas of host aggregates."""

from cloud.compute.api.schema_parts import HOST, NAME, body, metadata

_ZONE_NAME = {**NAME, "pattern": "^[^:]*$"}
_ZONE = {"oneOf": [_ZONE_NAME, {"type": "null"}]}
_NEW_NAME = {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable", "pattern": "\\S"}
CREATE = body("aggregate", {"name": NAME, "availability_zone": _ZONE}, ["name"])
UPDATE = body("aggregate", {"name": _NEW_NAME, "availability_zone": _ZONE}, minProperties=1)
ADD_HOST = body("add_host", {"host": HOST}, ["host"])
REMOVE_HOST = body("remove_host", {"host": HOST}, ["host"])
SET_METADATA = body(
    "set_metadata",
    {"metadata": metadata({"type": ["string", "null"], "maxLength": 255, "format": "printable"})},
    ["metadata"],
)
