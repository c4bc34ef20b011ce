"""Schemas of key pairs."""

from cloud.compute.api.schema_parts import NAME, PAGE, TEXT, body, parameters, strict
from cloud.core.microversions import ByVersion

_NAME = {**NAME, "pattern": "^[_\\- a-zA-Z0-9]+$"}
_WIDER_NAME = {**NAME, "pattern": "^[_\\-@. a-zA-Z0-9]+$"}
_OLDEST = {"name": _NAME, "public_key": TEXT}
_TYPED = {**_OLDEST, "type": {"type": "string", "enum": ["ssh", "x509"]}}
_OF_A_USER = {**_TYPED, "user_id": {**TEXT, "maxLength": 64, "format": "printable"}}
CREATE = ByVersion({
    "2.1": body("keypair", _OLDEST, ["name"]),
    "2.2": body("keypair", _TYPED, ["name"]),
    "2.10": body("keypair", _OF_A_USER, ["name"]),
    "2.92": body("keypair", {**_OF_A_USER, "name": _WIDER_NAME}, ["name", "public_key"]),
})  # fmt: skip

_NO_PARAMETERS = parameters()
_OF_USER = parameters("user_id")
_PAGED = parameters("user_id", **PAGE)
ONE_QUERY = ByVersion({"2.1": _NO_PARAMETERS, "2.10": _OF_USER, "2.75": strict(_OF_USER)})
LIST_QUERY = ByVersion({"2.1": _NO_PARAMETERS, "2.10": _OF_USER, "2.35": _PAGED, "2.75": strict(_PAGED)})
