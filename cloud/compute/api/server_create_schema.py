"""Bodies of `POST /servers`, from the first microversion to the newest.

Source: https://docs.openstack.org/api-ref/compute/#create-server
"""

from typing import Any

from cloud.compute.api.schema_parts import BOOLEAN, HOST, MAX_INT, NAME, POSITIVE, body, closed, metadata
from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema

Properties = dict[str, Schema]
_UUID: Schema = {"type": "string", "format": "uuid"}
_UUIDS: Schema = {"oneOf": [_UUID, {"type": "array", "items": _UUID}]}
IP_V4: Schema = {"type": "string", "format": "ipv4"}
IP_V6: Schema = {"type": "string", "format": "ipv6"}
DISK_CONFIG: Schema = {"type": "string", "enum": ["AUTO", "MANUAL"]}
DESCRIPTION: Schema = {"type": ["string", "null"], "maxLength": 255, "format": "printable"}
LABEL: Schema = {"type": "string", "minLength": 2, "maxLength": 63, "format": "hostname"}
FQDN: Schema = {"type": "string", "minLength": 1, "maxLength": 255, "format": "fqdn"}
USER_DATA: Schema = {"type": "string", "format": "base64-lenient", "maxLength": 65535}
TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$", "format": "printable"}
MAX_TAGS = 50
_DEVICE_TAG = TAG
HINTS: Schema = {
    "type": "object",
    "properties": {
        "group": _UUIDS, "different_host": _UUIDS, "same_host": _UUIDS,
        "query": {"type": ["string", "object"]}, "target_cell": NAME,
        "different_cell": {"type": ["string", "array"], "items": {"type": "string"}},
        "build_near_host_ip": {"type": "string", "format": "ip-address"},
        "cidr": {"type": "string", "pattern": "^/[0-9a-f.:]+$"},
    },
    "additionalProperties": True,
}  # fmt: skip
_SIZE: Schema = {**POSITIVE, "maximum": MAX_INT}
_LEGACY_DISK: Properties = {
    "virtual_name": {"type": "string", "maxLength": 255}, "volume_id": _UUID, "snapshot_id": _UUID,
    "volume_size": _SIZE,
    "device_name": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._/-]*$"},
    "delete_on_termination": BOOLEAN, "no_device": {}, "connection_info": {"type": "string"},
}  # fmt: skip
_DISK: Properties = {
    **_LEGACY_DISK, "source_type": {"type": "string", "enum": ["volume", "image", "snapshot", "blank"]},
    "uuid": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[a-zA-Z0-9._-]*$"}, "image_id": _UUID,
    "destination_type": {"type": "string", "enum": ["local", "volume"]},
    "guest_format": {"type": "string", "maxLength": 255}, "device_type": {"type": "string", "maxLength": 255},
    "disk_bus": {"type": "string", "maxLength": 255},
    "boot_index": {"type": ["integer", "string", "null"], "pattern": "^-?[0-9]+$"},
}  # fmt: skip
_TAGGED_DISK: Properties = {**_DISK, "tag": _DEVICE_TAG}
_VOLUME_TYPE: Schema = {"type": ["string", "null"], "maxLength": 255}
_NIC: Properties = {
    "fixed_ip": {"type": "string", "format": "ip-address"}, "port": {"type": ["string", "null"], "format": "uuid"},
}  # fmt: skip
_LEGACY_NIC: Properties = {**_NIC, "uuid": {"type": "string"}}
_UUID_NIC: Properties = {**_NIC, "uuid": _UUID}
FILES: Schema = {
    "type": "array",
    "items": closed({"path": {"type": "string"}, "contents": {"type": "string", "format": "base64-lenient"}}),
}


def _disks(properties: Properties) -> Schema:
    return {"type": "array", "items": closed(properties)}


def _nics(properties: Properties) -> Schema:
    return {"type": "array", "items": closed(properties)}


def _nics_or_word(properties: Properties) -> Schema:
    return {"oneOf": [_nics(properties), {"type": "string", "enum": ["none", "auto"]}]}


_V2_1: Properties = {
    "name": NAME,
    "imageRef": {"oneOf": [_UUID, {"type": "string", "maxLength": 0}]},
    "flavorRef": {"type": ["string", "integer"], "minLength": 1, "maxLength": 255, "format": "printable"},
    "adminPass": {"type": "string"},
    "metadata": metadata(),
    "networks": _nics(_LEGACY_NIC),
    "OS-DCF:diskConfig": DISK_CONFIG,
    "accessIPv4": IP_V4,
    "accessIPv6": IP_V6,
    "personality": FILES,
    "availability_zone": NAME,
    "block_device_mapping": _disks(_LEGACY_DISK),
    "block_device_mapping_v2": _disks(_DISK),
    "config_drive": BOOLEAN,
    "key_name": NAME,
    "min_count": POSITIVE,
    "max_count": POSITIVE,
    "return_reservation_id": BOOLEAN,
    "security_groups": {"type": "array", "items": closed({"name": NAME})},
    "user_data": USER_DATA,
}
CERTIFICATES: Schema = {
    "type": ["array", "null"], "minItems": 1, "maxItems": 50, "uniqueItems": True,
    "items": {"type": "string", "minLength": 1, "maxLength": 255},
}  # fmt: skip
_WITHOUT: Any = None
# What each microversion put in, put in another's place or took out.
_CHANGES: tuple[tuple[str, dict[str, Schema | None]], ...] = (
    ("2.19", {"description": DESCRIPTION}),
    ("2.32", {"networks": _nics({**_LEGACY_NIC, "tag": _DEVICE_TAG}), "block_device_mapping_v2": _disks(_TAGGED_DISK)}),
    ("2.33", {"block_device_mapping_v2": _disks(_DISK)}),
    ("2.37", {"networks": _nics_or_word(_UUID_NIC)}),
    ("2.42", {"networks": _nics_or_word({**_UUID_NIC, "tag": _DEVICE_TAG}),
              "block_device_mapping_v2": _disks(_TAGGED_DISK)}),
    ("2.52", {"tags": {"type": "array", "items": TAG, "maxItems": MAX_TAGS}}),
    ("2.57", {"personality": _WITHOUT}),
    ("2.63", {"trusted_image_certificates": CERTIFICATES}),
    ("2.67", {"block_device_mapping_v2": _disks({**_TAGGED_DISK, "volume_type": _VOLUME_TYPE})}),
    ("2.74", {"host": HOST, "hypervisor_hostname": HOST}),
    ("2.90", {"hostname": LABEL}),
    ("2.94", {"hostname": FQDN}),
)  # fmt: skip
_NETWORKS_REQUIRED = "2.37"


def _server(properties: Properties, required: tuple[str, ...]) -> Schema:
    schema = body("server", properties, required)
    schema["properties"] |= {"os:scheduler_hints": HINTS, "OS-SCH-HNT:scheduler_hints": HINTS}
    return schema


def _by_version() -> dict[str, Schema]:
    properties, required = dict(_V2_1), ("name", "flavorRef")
    found = {"2.1": _server(properties, required)}
    for number, changes in _CHANGES:
        properties |= {name: schema for name, schema in changes.items() if schema is not None}
        properties = {name: schema for name, schema in properties.items() if changes.get(name, schema) is not None}
        required = (*required, "networks") if number == _NETWORKS_REQUIRED else required
        found[number] = _server(properties, required)
    return found


CREATE = ByVersion(_by_version())
