"""Schemas of services and hosts."""

from cloud.compute.api.schema_parts import BOOLEAN, HOST, TEXT, closed, parameters, strict_from
from cloud.core.microversions import ByVersion

_SHORT = {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable"}
_NAMED = {"host": HOST, "binary": _SHORT, "disabled_reason": _SHORT}
UPDATE = ByVersion({
    "2.1": closed(_NAMED, ["host", "binary"]),
    "2.11": closed({**_NAMED, "forced_down": BOOLEAN}, ["host", "binary"]),
    "2.53": closed({
        "status": {**TEXT, "enum": ["enabled", "disabled"]}, "disabled_reason": _SHORT, "forced_down": BOOLEAN,
    }),
})  # fmt: skip
LIST_QUERY = strict_from("2.75", parameters("host", "binary"))

_SWITCH = {"type": "string", "enum": ["enable", "disable", "Enable", "Disable", "ENABLE", "DISABLE"]}
UPDATE_HOST = closed(
    {"status": _SWITCH, "maintenance_mode": _SWITCH},
    anyOf=[{"required": ["status"]}, {"required": ["maintenance_mode"]}],
)
HOSTS_QUERY = parameters("zone")
