"""Bodies of `POST /servers/{id}/action`."""

from cloud.compute.api.schema_parts import closed
from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema

# Actions whose value says nothing take any.
ANYTHING: Schema = {}


def named(name: str, value: Schema | None = None) -> Schema:
    """Return the schema of the body of an action."""
    return closed({name: ANYTHING if value is None else value}, [name])


REBOOT = named("reboot", closed(
    {"type": {"type": "string", "enum": ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]}}, ["type"]
))  # fmt: skip
LOCK = ByVersion(
    {
        "2.1": named("lock"),
        "2.73": named("lock", {
            **closed({"locked_reason": {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable"}}),
            "type": ["object", "null"],
        }),
    }
)  # fmt: skip
CONSOLE_OUTPUT = named("os-getConsoleOutput", closed({
    "length": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$", "minimum": -1, "maximum": 2**31 - 1},
}))  # fmt: skip
RESET_STATE = named("os-resetState", closed({"state": {"type": "string", "enum": ["active", "error"]}}, ["state"]))
SECURITY_GROUP: Schema = closed({"name": {"type": "string", "minLength": 1, "maxLength": 255}}, ["name"])
