"""Schemas of quotas, and which resources each microversion knows."""

from collections.abc import Iterable

from cloud.compute.api.schema_parts import BOOLEAN, MAX_INT, body, parameters, strict_from
from cloud.compute.services.quota_sets import RESOURCES
from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema

_NETWORK = {"floating_ips", "fixed_ips", "security_groups", "security_group_rules"}
_FILES = {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
_GROUPS = {"server_groups", "server_group_members"}


def _without(*hidden: set[str]) -> tuple[str, ...]:
    return tuple(name for name in RESOURCES if not any(name in group for group in hidden))


OF_SETS = ByVersion({"2.1": RESOURCES, "2.36": _without(_NETWORK), "2.57": _without(_NETWORK, _FILES)})
OF_CLASSES = ByVersion(
    {"2.1": _without(_GROUPS), "2.50": _without(_NETWORK), "2.57": _without(_NETWORK, _FILES)}
)  # fmt: skip

_LIMIT = {"type": ["integer", "string"], "pattern": "^-?[0-9]+$", "minimum": -1, "maximum": MAX_INT,
          "format": "printable"}  # fmt: skip


def _update(name: str, resources: Iterable[str], **more: Schema) -> Schema:
    return body(name, {**dict.fromkeys(resources, _LIMIT), **more})


def _updates(name: str, since: str, **more: Schema) -> ByVersion:
    return ByVersion({
        "2.1": _update(name, RESOURCES, **more),
        since: _update(name, _without(_NETWORK), **more),
        "2.57": _update(name, _without(_NETWORK, _FILES), **more),
    })  # fmt: skip


UPDATE_SET = _updates("quota_set", "2.36", force=BOOLEAN)
UPDATE_CLASS = _updates("quota_class_set", "2.50")
SET_QUERY = strict_from("2.75", parameters("user_id"))
LIMITS_QUERY = strict_from("2.75", parameters("tenant_id"))
