"""The shapes of request bodies. Source: https://docs.openstack.org/api-ref/identity/v3/.

Users, projects and domains may carry attributes of the client's own; these are kept as they are, in printable JSON.
"""

from typing import Any

from cloud.core.validation import Schema

_PRINTABLE: Schema = {"type": "string", "format": "printable"}
_OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}
_OPTIONAL_ID: Schema = {"type": ["string", "null"], "format": "printable", "maxLength": 64}
_ID: Schema = {**_PRINTABLE, "minLength": 1, "maxLength": 64}
_BOOLEAN: Schema = {"type": "boolean"}
# PostgreSQL gives a large float back as an integer, and JSON has none beyond 64 bits.
_NUMBER: Schema = {"type": "number", "minimum": -(2**53), "maximum": 2**53}


def _own(depth: int) -> Schema:
    """Printable JSON, no deeper than this. Spelled out, because a schema that refers to itself cannot be embedded."""
    scalars: list[Schema] = [{"type": ["boolean", "null", "string"], "format": "printable"}, _NUMBER]
    if not depth:
        return {"anyOf": scalars}
    below = _own(depth - 1)
    members: Schema = {"propertyNames": {"format": "printable"}, "additionalProperties": below}
    return {"anyOf": [*scalars, {"type": "array", "items": below}, {"type": "object", **members}]}


_OWN = _own(3)
_OPTIONS: Schema = {"type": "object", "additionalProperties": _OWN}
# A name of blanks alone would name nothing.
_SHORT_NAME: Schema = {**_PRINTABLE, "minLength": 1, "maxLength": 64, "pattern": r"\S"}
_LONG_NAME: Schema = {**_SHORT_NAME, "maxLength": 255}
_PASSWORD: Schema = {"type": ["string", "null"], "maxLength": 4096}
# Commas separate tags in queries and slashes in paths.
_TAG: Schema = {**_PRINTABLE, "minLength": 1, "maxLength": 255, "pattern": "^[^,/]*$"}
_TAGS: Schema = {"type": "array", "items": _TAG, "uniqueItems": True, "maxItems": 80}
def listing(*names: str) -> Schema:
    """Return the schema of a list's query: its filters, and the page. What else a query holds is ignored."""
    texts = {"type": "array", "items": {"type": "string"}}
    return {"type": "object", "properties": dict.fromkeys((*names, "limit", "marker"), texts)}


def _body(key: str, properties: Schema, required: tuple[str, ...] = (), **more: Any) -> Schema:
    one = {"type": "object", "properties": properties, "required": list(required), **more}
    return {"type": "object", "properties": {key: one}, "required": [key]}


def _open(key: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    """A body that takes attributes of the client's own."""
    return _body(
        key, properties, required,
        propertyNames={"format": "printable", "maxLength": 255}, additionalProperties=_OWN,
    )  # fmt: skip


def _closed(key: str, properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    return _body(key, properties, required, additionalProperties=False)


_USER = {
    "name": _LONG_NAME, "password": _PASSWORD, "domain_id": _ID, "default_project_id": _OPTIONAL_ID,
    "description": _OPTIONAL_TEXT, "email": {"type": ["string", "null"], "format": "printable", "maxLength": 255},
    "enabled": _BOOLEAN, "options": _OPTIONS,
}  # fmt: skip
CREATE_USER = _open("user", _USER, ("name",))
UPDATE_USER = _open("user", _USER)
CHANGE_PASSWORD = _closed(
    "user",
    {"password": {"type": "string", "maxLength": 4096}, "original_password": {"type": "string", "maxLength": 4096}},
    ("password", "original_password"),
)

_PROJECT = {
    "name": _SHORT_NAME, "domain_id": _OPTIONAL_ID, "parent_id": _OPTIONAL_ID, "description": _OPTIONAL_TEXT,
    "enabled": _BOOLEAN, "is_domain": _BOOLEAN, "tags": _TAGS, "options": _OPTIONS,
}  # fmt: skip
CREATE_PROJECT = _open("project", _PROJECT, ("name",))
UPDATE_PROJECT = _open("project", _PROJECT)
SET_TAGS: Schema = {
    "type": "object", "properties": {"tags": _TAGS}, "required": ["tags"], "additionalProperties": False,
}  # fmt: skip

_DOMAIN = {
    "name": _SHORT_NAME, "description": _OPTIONAL_TEXT, "enabled": _BOOLEAN, "tags": _TAGS, "options": _OPTIONS,
}  # fmt: skip
CREATE_DOMAIN = _open("domain", _DOMAIN, ("name",))
UPDATE_DOMAIN = _open("domain", _DOMAIN)

_ROLE = {"name": _LONG_NAME, "description": _OPTIONAL_TEXT, "domain_id": _OPTIONAL_ID, "options": {
    "type": "object", "properties": {"immutable": {"type": ["boolean", "null"]}}, "additionalProperties": False,
}}  # fmt: skip
CREATE_ROLE = _closed("role", _ROLE, ("name",))
UPDATE_ROLE = _closed("role", _ROLE)

_ROLE_REFERENCE: Schema = {
    "type": "object", "properties": {"id": _ID, "name": _LONG_NAME, "domain_id": _OPTIONAL_ID},
    "anyOf": [{"required": ["id"]}, {"required": ["name"]}],
}  # fmt: skip
CREATE_CREDENTIAL = _closed(
    "application_credential",
    {
        "name": _LONG_NAME, "description": _OPTIONAL_TEXT, "unrestricted": {"type": ["boolean", "null"]},
        "expires_at": {"type": ["string", "null"], "format": "date-time"},
        "secret": {"type": ["string", "null"], "maxLength": 255},
        "roles": {"type": ["array", "null"], "items": _ROLE_REFERENCE, "maxItems": 100},
        # A list of rules would promise a limit that nobody keeps, so only the empty one is taken.
        "access_rules": {"type": ["array", "null"], "maxItems": 0},
        "project_id": _OPTIONAL_ID,
    },
    ("name",),
)  # fmt: skip
