"""Parts of which compute's schemas are made."""

from collections.abc import Mapping, Sequence
from typing import Any

from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema

MAX_INT = 0x7FFFFFFF
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "name"}
TEXT: Schema = {"type": "string"}
HOST: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9-._]*$", "format": "name"}
POSITIVE: Schema = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1, "maximum": MAX_INT,
                    "format": "printable"}
NOT_NEGATIVE: Schema = {**POSITIVE, "minimum": 0}
_TRUE = (True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes")
_FALSE = (False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no")
BOOLEAN: Schema = {"type": ["boolean", "string"], "enum": [*_TRUE, *_FALSE]}
_KEY = "^[a-zA-Z0-9-_:. ]{1,255}$"


def is_true(value: object) -> bool:
    """Tell what a value that passed BOOLEAN means."""
    return value in _TRUE


def closed(properties: Mapping[str, Schema], required: Sequence[str] = (), **more: Any) -> Schema:
    """Return the schema of an object with these properties and no others."""
    return {"type": "object", "properties": dict(properties), "required": list(required),
            "additionalProperties": False, **more}


def body(name: str, properties: Mapping[str, Schema], required: Sequence[str] = (), **more: Any) -> Schema:
    """Return the schema of a body that holds one object under a name."""
    return closed({name: closed(properties, required, **more)}, [name])


def metadata(value: Schema | None = None, **more: Any) -> Schema:
    """Return the schema of keys and values of at most 255 characters."""
    value = value or {"type": "string", "maxLength": 255}
    return {"type": "object", "patternProperties": {_KEY: value}, "propertyNames": {"format": "printable"},
            "additionalProperties": False, **more}


def parameters(*names: str, **schemas: Schema) -> Schema:
    """Return the query schema of parameters that may be repeated; `names` are plain texts. Others are let pass."""
    known = {**dict.fromkeys(names, TEXT), **schemas}
    return {"type": "object", "additionalProperties": True,
            "properties": {name: {"type": "array", "items": schema} for name, schema in known.items()}}


def once(schema: Schema) -> Schema:
    """Return a query schema whose parameters may come once only."""
    properties = {name: {**one, "maxItems": 1} for name, one in schema["properties"].items()}
    return {**schema, "properties": properties}


def strict(schema: Schema) -> Schema:
    """Return a query schema that refuses other parameters."""
    return {**schema, "additionalProperties": False}


def strict_from(number: str, schema: Schema) -> ByVersion:
    """Return a query schema that refuses other parameters from a microversion on."""
    return ByVersion({"2.1": schema, number: strict(schema)})


NO_QUERY = strict_from("2.102", parameters())
PAGE = {"limit": NOT_NEGATIVE, "marker": TEXT}
