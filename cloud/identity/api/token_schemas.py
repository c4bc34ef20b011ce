"""The shape of a request for a token.

Source: https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management.
"""

from cloud.core.validation import Schema

_TEXT = {"type": "string", "maxLength": 4096}
_ID_OR_NAME = [{"required": ["id"]}, {"required": ["name"]}]
_DOMAIN: Schema = {"type": "object", "properties": {"id": _TEXT, "name": _TEXT}, "anyOf": _ID_OR_NAME}
_USER: Schema = {
    "type": "object",
    "properties": {"id": _TEXT, "name": _TEXT, "domain": _DOMAIN},
    "anyOf": _ID_OR_NAME,
}
_PROJECT = _USER
_PASSWORD: Schema = {
    "type": "object",
    "properties": {"user": {**_USER, "properties": {**_USER["properties"], "password": _TEXT},
                            "required": ["password"]}},
    "required": ["user"],
}  # fmt: skip
_TOKEN: Schema = {"type": "object", "properties": {"id": _TEXT}, "required": ["id"]}
_APPLICATION_CREDENTIAL: Schema = {
    "type": "object",
    "properties": {"id": _TEXT, "name": _TEXT, "secret": _TEXT, "user": _USER},
    "required": ["secret"],
    "anyOf": [{"required": ["id"]}, {"required": ["name", "user"]}],
}
_SYSTEM: Schema = {"type": "object", "properties": {"all": {"const": True}}, "required": ["all"]}
_SCOPE: Schema = {
    "anyOf": [
        {"const": "unscoped"},
        {
            "type": "object",
            "properties": {"project": _PROJECT, "domain": _DOMAIN, "system": _SYSTEM, "unscoped": {"type": "object"}},
            "additionalProperties": False,
        },
    ],
}
ISSUE: Schema = {
    "type": "object",
    "properties": {
        "auth": {
            "type": "object",
            "properties": {
                "identity": {
                    "type": "object",
                    "properties": {
                        "methods": {"type": "array", "items": _TEXT, "maxItems": 10},
                        "password": _PASSWORD,
                        "token": _TOKEN,
                        "application_credential": _APPLICATION_CREDENTIAL,
                    },
                    "required": ["methods"],
                },
                "scope": _SCOPE,
            },
            "required": ["identity"],
        }
    },
    "required": ["auth"],
}
