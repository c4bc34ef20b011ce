"""Query strings of `GET /servers` and `/servers/detail`.

Source: https://docs.openstack.org/api-ref/compute/#list-servers
"""

from typing import Any

from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema

_TEXT: Schema = {"type": "string", "format": "printable"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_REGEX: Schema = {"type": "string", "format": "regex", "maxLength": 255}
_LIMIT: Schema = {"type": "string", "pattern": "^[0-9]+$"}
_TEXTS = (
    "access_ip_v4", "access_ip_v6", "all_tenants", "auto_disk_config", "availability_zone", "block_device_mapping",
    "config_drive", "created_at", "deleted", "description", "display_description", "display_name", "flavor", "host",
    "hostname", "image", "image_ref", "info_cache", "kernel_id", "key_name", "launch_index", "launched_at",
    "locked_by", "marker", "metadata", "node", "pci_devices", "power_state", "progress", "project_id", "ramdisk_id",
    "reservation_id", "root_device_name", "security_groups", "services", "soft_deleted", "sort_dir", "status",
    "system_metadata", "task_state", "tenant_id", "terminated_at", "user_id", "uuid", "vm_state",
)  # fmt: skip
SORT_KEYS = (
    "access_ip_v4", "access_ip_v6", "auto_disk_config", "availability_zone", "config_drive", "created_at",
    "display_description", "display_name", "host", "hostname", "image_ref", "instance_type_id", "kernel_id",
    "key_name", "launch_index", "launched_at", "locked_by", "node", "power_state", "progress", "project_id",
    "ramdisk_id", "root_device_name", "task_state", "terminated_at", "updated_at", "user_id", "uuid", "vm_state",
)  # fmt: skip
# Accepted as sort keys and without effect, as ever.
_IGNORED_SORT_KEYS = (
    "architecture", "cell_name", "cleaned", "default_ephemeral_device", "default_swap_device", "deleted",
    "deleted_at", "disable_terminate", "ephemeral_gb", "ephemeral_key_uuid", "id", "key_data", "launched_on",
    "locked", "memory_mb", "os_type", "reservation_id", "root_gb", "shutdown_terminate", "user_data", "vcpus",
    "vm_mode",
)  # fmt: skip


def _query(parameters: dict[str, Schema], **more: Any) -> Schema:
    properties = {name: {"type": "array", "items": schema} for name, schema in parameters.items()}
    return {"type": "object", "properties": properties, "additionalProperties": True, **more}


_SORTABLE = {"sort_key": {"type": "string", "enum": [*SORT_KEYS, *_IGNORED_SORT_KEYS]}}
_V2_1 = {
    **dict.fromkeys(_TEXTS, _TEXT), "name": _REGEX, "ip": _REGEX, "ip6": _REGEX, "changes-since": _TIME,
    "limit": _LIMIT, **_SORTABLE,
}  # fmt: skip
_V2_26 = {**_V2_1, **dict.fromkeys(("tags", "tags-any", "not-tags", "not-tags-any"), _TEXT)}
_V2_66 = {**_V2_26, "changes-before": _TIME}
_V2_73 = {
    **_V2_66, "locked": {**_TEXT, "minLength": 1},
    "sort_key": {"type": "string", "enum": [*SORT_KEYS, "locked", *(set(_IGNORED_SORT_KEYS) - {"locked"})]},
}  # fmt: skip
_V2_75 = {**_V2_73, "sort_key": {"type": "string", "enum": [*SORT_KEYS, "locked"]}}

QUERY = ByVersion(
    {
        "2.1": _query(_V2_1),
        "2.26": _query(_V2_26),
        "2.66": _query(_V2_66),
        "2.73": _query(_V2_73),
        "2.75": _query(_V2_75, additionalProperties=False),
    }
)
