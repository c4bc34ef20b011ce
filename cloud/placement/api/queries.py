"""Query strings of the Placement API: their schemas by microversion, and what they mean.

Source: https://docs.openstack.org/api-ref/placement/
"""

import re

from django.http import QueryDict

from cloud.core.errors import Invalid
from cloud.core.formats import is_uuid
from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema
from cloud.placement.selectors.criteria import AnyOf, Criteria

_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable"}
_LONG: Schema = {"type": "string", "minLength": 1, "maxLength": 10_000, "format": "printable"}
_ONE: Schema = {"type": "array", "items": _TEXT, "maxItems": 1}
_ONE_LONG: Schema = {"type": "array", "items": _LONG, "maxItems": 1}
_MANY: Schema = {"type": "array", "items": _LONG, "maxItems": 100}
_UUID: Schema = {"type": "array", "items": {"type": "string", "format": "uuid"}, "maxItems": 1}
_NUMBER: Schema = {"type": "array", "items": {"type": "string", "pattern": "^[1-9][0-9]{0,8}$"}, "maxItems": 1}
_AMOUNT = re.compile(r"([A-Z0-9_]{1,255}):([1-9][0-9]{0,9})")
_NAME = re.compile(r"[A-Z0-9_]{1,255}")


def _query(properties: Schema, *required: str) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


_V1_0 = {"name": _ONE, "uuid": _UUID}
_V1_3 = {**_V1_0, "member_of": _ONE_LONG}
_V1_4 = {**_V1_3, "resources": _ONE_LONG}
_V1_14 = {**_V1_4, "in_tree": _UUID}
_V1_18 = {**_V1_14, "required": _ONE_LONG}
_V1_24 = {**_V1_18, "member_of": _MANY}
_V1_39 = {**_V1_24, "required": _MANY}
PROVIDERS = ByVersion({
    "1.0": _query(_V1_0), "1.3": _query(_V1_3), "1.4": _query(_V1_4), "1.14": _query(_V1_14),
    "1.18": _query(_V1_18), "1.24": _query(_V1_24), "1.39": _query(_V1_39),
})
_C1_10 = {"resources": _ONE_LONG}
_C1_16 = {**_C1_10, "limit": _NUMBER}
_C1_17 = {**_C1_16, "required": _ONE_LONG}
_C1_21 = {**_C1_17, "member_of": _ONE_LONG}
_C1_24 = {**_C1_21, "member_of": _MANY}
_C1_31 = {**_C1_24, "in_tree": _UUID}
_C1_39 = {**_C1_31, "required": _MANY}
CANDIDATES = ByVersion({
    number: _query(properties, "resources")
    for number, properties in {"1.10": _C1_10, "1.16": _C1_16, "1.17": _C1_17, "1.21": _C1_21, "1.24": _C1_24,
                               "1.31": _C1_31, "1.39": _C1_39}.items()
})
USAGES = ByVersion({
    "1.9": _query({"project_id": _ONE, "user_id": _ONE}, "project_id"),
    "1.38": _query({"project_id": _ONE, "user_id": _ONE, "consumer_type": _ONE}, "project_id"),
})
TRAITS = _query({"name": _ONE_LONG, "associated": _ONE})


def criteria(query: QueryDict) -> Criteria:
    """Read what providers are looked for by; the schema says what a microversion may ask.

    Raises:
        Invalid
    """
    return Criteria(
        name=query.get("name", ""),
        uuid=query.get("uuid", "").lower(),
        in_tree=query.get("in_tree", "").lower(),
        resources=_resources(query.get("resources", "")),
        traits=[one for text in query.getlist("required") for one in _traits(text)],
        aggregates=[_aggregates(text) for text in query.getlist("member_of")],
    )


def _resources(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in filter(None, text.split(",")):
        match = _AMOUNT.fullmatch(part.strip())
        if match is None:
            raise Invalid(
                "Badly formed resources parameter. Expected resources query string parameter in form: "
                f"?resources=VCPU:2,MEMORY_MB:1024. Got: {part[:80]}."
            )
        found[match[1]] = int(match[2])
    return found


def _traits(text: str) -> list[AnyOf]:
    if text.startswith("in:"):
        return [AnyOf([_trait(name) for name in text.removeprefix("in:").split(",")])]
    return [AnyOf([_trait(part.removeprefix("!"))], is_forbidden=part.startswith("!")) for part in text.split(",")]


def _trait(text: str) -> str:
    name = text.strip()
    if not _NAME.fullmatch(name):
        raise Invalid(
            "Invalid query string parameters: Expected 'required' parameter value of the form: "
            f"HW_CPU_X86_VMX,CUSTOM_MAGIC. Got: {text[:80]}"
        )
    return name


def _aggregates(text: str) -> AnyOf:
    is_forbidden = text.startswith("!")
    plain = text.removeprefix("!")
    names = plain.removeprefix("in:").split(",") if plain.startswith("in:") else [plain]
    for name in names:
        if not is_uuid(name):
            raise Invalid(
                f"Invalid query string parameters: Expected 'member_of' parameter to contain valid UUID(s). "
                f"Got: {name[:80]}"
            )
    return AnyOf(names, is_forbidden=is_forbidden)
