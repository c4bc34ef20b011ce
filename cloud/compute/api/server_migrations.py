"""Migrations: servers that moved. None does yet, so that the list is empty."""

from typing import Any

from cloud.compute.api.schema_parts import NOT_NEGATIVE, TEXT, once, parameters, strict
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Invalid
from cloud.core.microversions import ByVersion
from cloud.core.times import read_time
from cloud.core.validation import Schema

_NAMES = ("hidden", "host", "instance_uuid", "source_compute", "status", "migration_type")
_TIME = {**TEXT, "format": "date-time"}
_PAGE = {"limit": NOT_NEGATIVE, "marker": TEXT, "changes-since": _TIME}


def _later(*names: str, **schemas: Schema) -> Schema:
    known = parameters(*_NAMES)
    single = once(parameters(*names, **_PAGE, **schemas))
    return strict({**known, "properties": {**known["properties"], **single["properties"]}})


_QUERY = ByVersion({
    "2.1": parameters(*_NAMES),
    "2.59": _later(),
    "2.66": _later(**{"changes-before": _TIME}),
    "2.80": _later("user_id", "project_id", **{"changes-before": _TIME}),
})  # fmt: skip


@endpoint("os_compute_api:os-migrations:index", query=_QUERY)
def index(request: ApiRequest) -> dict[str, Any]:
    """List the migrations."""
    query = request.query
    if query.get("marker"):
        raise Invalid(f"Marker {query['marker'][:100]} could not be found.")
    times = [read_time(query[name]) for name in ("changes-since", "changes-before") if name in query]
    if len(times) == 2 and times[0] > times[1]:
        raise Invalid("The value of changes-since must be less than or equal to changes-before.")
    return {"migrations": []}


ROUTES = [route("/os-migrations", GET=index)]
