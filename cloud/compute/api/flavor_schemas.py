"""Schemas of flavors and what belongs to them."""

from cloud.compute.api.schema_parts import (
    BOOLEAN,
    NAME,
    NO_QUERY,
    NOT_NEGATIVE,
    PAGE,
    POSITIVE,
    TEXT,
    body,
    closed,
    metadata,
    parameters,
    strict,
)
from cloud.compute.selectors.flavors import SORT_KEYS
from cloud.core.microversions import ByVersion

__all__ = [
    "ADD_ACCESS", "CREATE", "LIST_QUERY", "NO_QUERY", "REMOVE_ACCESS", "SET_EXTRA_SPEC", "SET_EXTRA_SPECS", "UPDATE",
]  # fmt: skip

_MAX_FLOAT = 3.40282e38
_DESCRIPTION = {"type": ["string", "null"], "maxLength": 65535, "format": "printable"}
_REQUIRED = ("name", "ram", "vcpus", "disk")
_OLDEST = {
    "name": NAME,
    "id": {"type": ["string", "number", "null"], "minLength": 1, "maxLength": 255,
           "pattern": "^(?! )[a-zA-Z0-9. _-]+(?<! )$", "format": "printable"},
    "ram": POSITIVE,
    "vcpus": POSITIVE,
    "disk": NOT_NEGATIVE,
    "OS-FLV-EXT-DATA:ephemeral": NOT_NEGATIVE,
    "swap": NOT_NEGATIVE,
    "rxtx_factor": {"type": ["number", "string"], "pattern": r"^[0-9]{1,38}(\.[0-9]{1,38})?$", "format": "printable",
                    "exclusiveMinimum": 0, "maximum": _MAX_FLOAT},
    "os-flavor-access:is_public": BOOLEAN,
}  # fmt: skip
_DESCRIBED = {**_OLDEST, "description": _DESCRIPTION}
_NEWEST = {name: schema for name, schema in _DESCRIBED.items() if name != "rxtx_factor"}
CREATE = ByVersion({
    "2.1": body("flavor", _OLDEST, _REQUIRED),
    "2.55": body("flavor", _DESCRIBED, _REQUIRED),
    "2.102": body("flavor", _NEWEST, _REQUIRED),
})  # fmt: skip
UPDATE = body("flavor", {"description": _DESCRIPTION}, ["description"])

_SORT = {"sort_dir": {"enum": ["asc", "desc"]}}
_LIST = parameters("is_public", "minRam", "minDisk", sort_key={"enum": sorted(SORT_KEYS)}, **_SORT, **PAGE)
_LIST_BY_NAME = parameters(
    "is_public", "minRam", "minDisk", "name", sort_key={"enum": sorted(set(SORT_KEYS) - {"rxtx_factor"})}, **_SORT,
    **PAGE,
)  # fmt: skip
LIST_QUERY = ByVersion({"2.1": _LIST, "2.75": strict(_LIST), "2.102": strict(_LIST_BY_NAME)})

_SPEC = {"type": ["string", "number"], "maxLength": 255, "format": "printable"}
SET_EXTRA_SPECS = closed({"extra_specs": metadata(_SPEC)}, ["extra_specs"])
SET_EXTRA_SPEC = metadata(_SPEC, minProperties=1, maxProperties=1)

_TENANT = {"tenant": {**TEXT, "minLength": 1, "maxLength": 255}}
ADD_ACCESS = body("addTenantAccess", _TENANT, ["tenant"])
REMOVE_ACCESS = body("removeTenantAccess", _TENANT, ["tenant"])
