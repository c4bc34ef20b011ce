"""Schemas of server groups."""

from cloud.compute.api.schema_parts import NAME, NOT_NEGATIVE, POSITIVE, body, closed, parameters, strict_from
from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema

_HARD = ["anti-affinity", "affinity"]
_ALL = [*_HARD, "soft-anti-affinity", "soft-affinity"]


def _one_of_a_list(words: list[str]) -> Schema:
    policies = {"type": "array", "items": {"type": "string", "enum": words}, "minItems": 1, "maxItems": 1}
    return body("server_group", {"name": NAME, "policies": policies}, ["name", "policies"])


_RULES = closed({"max_server_per_host": POSITIVE})
CREATE = ByVersion({
    "2.1": _one_of_a_list(_HARD),
    "2.15": _one_of_a_list(_ALL),
    "2.64": body(
        "server_group", {"name": NAME, "policy": {"type": "string", "enum": _ALL}, "rules": _RULES}, ["name", "policy"]
    ),
})  # fmt: skip
LIST_QUERY = strict_from("2.75", parameters("all_projects", limit=NOT_NEGATIVE, offset=NOT_NEGATIVE))
