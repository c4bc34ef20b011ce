"""Bodies of `POST /servers/{id}/action`."""

from cloud.compute.api.schema_parts import BOOLEAN, HOST, NAME, closed, metadata
from cloud.compute.api.server_create_schema import (
    CERTIFICATES,
    DESCRIPTION,
    DISK_CONFIG,
    FILES,
    FQDN,
    IP_V4,
    IP_V6,
    LABEL,
    USER_DATA,
)
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
RESIZE = named("resize", closed(
    {"flavorRef": {"type": ["string", "integer"], "minLength": 1, "maxLength": 255}, "OS-DCF:diskConfig": DISK_CONFIG},
    ["flavorRef"],
))  # fmt: skip
CREATE_IMAGE = named("createImage", closed({"name": NAME, "metadata": metadata()}, ["name"]))
ADD_FIXED_IP = named("addFixedIp", closed(
    {"networkId": {"type": ["string", "number"], "minLength": 1, "maxLength": 255}}, ["networkId"]
))  # fmt: skip
REMOVE_FIXED_IP = named("removeFixedIp", closed({"address": {"type": "string", "format": "ip-address"}}, ["address"]))
_ADDRESS: Schema = {"type": "string", "format": "ipv4"}
ADD_FLOATING_IP = named("addFloatingIp", closed({"address": _ADDRESS, "fixed_address": _ADDRESS}, ["address"]))
REMOVE_FLOATING_IP = named("removeFloatingIp", closed({"address": _ADDRESS}, ["address"]))
_GROUP: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "printable"}
ADD_SECURITY_GROUP = named("addSecurityGroup", closed({"name": _GROUP}, ["name"]))
REMOVE_SECURITY_GROUP = named("removeSecurityGroup", closed({"name": _GROUP}, ["name"]))
MIGRATE = ByVersion({
    "2.1": named("migrate"),
    "2.56": named("migrate", {**closed({"host": HOST}), "type": ["object", "null"]}),
})  # fmt: skip
_PASSWORD: Schema = {"type": "string"}
EVACUATE = ByVersion({
    "2.1": named("evacuate", closed(
        {"host": HOST, "onSharedStorage": BOOLEAN, "adminPass": _PASSWORD}, ["onSharedStorage"]
    )),
    "2.14": named("evacuate", closed({"host": HOST, "adminPass": _PASSWORD})),
    "2.29": named("evacuate", closed({"host": HOST, "force": BOOLEAN, "adminPass": _PASSWORD})),
    "2.68": named("evacuate", closed({"host": HOST, "adminPass": _PASSWORD})),
})  # fmt: skip
_V2_1: dict[str, Schema] = {
    "imageRef": {"type": "string", "format": "uuid"}, "name": NAME, "adminPass": {"type": "string"},
    "metadata": metadata(), "preserve_ephemeral": BOOLEAN, "OS-DCF:diskConfig": DISK_CONFIG, "accessIPv4": IP_V4,
    "accessIPv6": IP_V6, "personality": FILES,
}  # fmt: skip
_V2_19 = {**_V2_1, "description": DESCRIPTION}
_V2_54 = {**_V2_19, "key_name": {**NAME, "type": ["string", "null"]}}
_V2_57 = {name: schema for name, schema in _V2_54.items() if name != "personality"} | {
    "user_data": {**USER_DATA, "type": ["string", "null"]}
}
_V2_63 = {**_V2_57, "trusted_image_certificates": CERTIFICATES}
_V2_90 = {**_V2_63, "hostname": LABEL}
_V2_94 = {**_V2_90, "hostname": FQDN}


def _rebuild(properties: dict[str, Schema]) -> Schema:
    return named("rebuild", closed(properties, ["imageRef"]))


REBUILD = ByVersion(
    {
        "2.1": _rebuild(_V2_1),
        "2.19": _rebuild(_V2_19),
        "2.54": _rebuild(_V2_54),
        "2.57": _rebuild(_V2_57),
        "2.63": _rebuild(_V2_63),
        "2.90": _rebuild(_V2_90),
        "2.94": _rebuild(_V2_94),
    }
)
