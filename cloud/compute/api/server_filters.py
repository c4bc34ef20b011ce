"""From a list's query string to what is looked for: which filters a client may use at which microversion."""

from collections.abc import Mapping, Sequence

from cloud.compute.api.server_list_schema import SORT_KEYS
from cloud.compute.selectors.server_filters import NOTHING, condition, read_bool
from cloud.compute.selectors.servers import Listing
from cloud.compute.statuses import KNOWN
from cloud.core import policy
from cloud.core.endpoints import ApiRequest
from cloud.core.errors import Forbidden, Invalid
from cloud.core.microversions import version
from cloud.core.paging import read_limit
from cloud.core.times import read_time

Filters = dict[str, list[str]]
# What everybody may filter by, and since when.
_FOR_ALL: tuple[tuple[str, frozenset[str]], ...] = (
    ("2.1", frozenset({"reservation_id", "name", "status", "image", "flavor", "ip", "changes-since", "all_tenants"})),
    ("2.5", frozenset({"ip6"})),
    ("2.26", frozenset({"tags", "tags-any", "not-tags", "not-tags-any"})),
    ("2.66", frozenset({"changes-before"})),
    ("2.73", frozenset({"locked"})),
    ("2.83", frozenset({
        "availability_zone", "config_drive", "created_at", "description", "hostname", "key_name", "launched_at",
        "power_state", "progress", "task_state", "terminated_at", "user_id", "vm_state",
    })),
)  # fmt: skip
# What nobody has below its microversion.
_SINCE = {name: version(number) for number, names in _FOR_ALL[2:5] for name in names}
_FOR_ADMINS_TO_SORT = frozenset({"host", "node"})
_STATUS_MUST_BE_KNOWN = version("2.38")


def read_listing(request: ApiRequest, *, is_detail: bool) -> Listing:
    """Return what a request for a list looks for.

    Raises:
        Invalid: a value that cannot be read. Forbidden: what only administrators may ask.
    """
    filters = _permitted(request)
    project_id = _project(request, filters, is_detail=is_detail)
    _check_times(filters)
    is_known = _check_status(request, filters)
    return Listing(
        project_id=project_id,
        limit=read_limit(request.query),
        condition=condition(filters) if is_known else NOTHING,
        deleted=_deleted(request, filters),
        keeps=_keeps(request, filters),
        sort=_sort(request),
        marker=request.query.get("marker", ""),
    )


def _permitted(request: ApiRequest) -> Filters:
    """Return the parameters that count for this client; others are dropped, as ever."""
    given = {name: values for name, values in request.query.lists() if _exists(request, name)}
    if policy.allows(request.context, "os_compute_api:servers:allow_all_filters"):
        return given
    allowed = frozenset[str]().union(*(names for number, names in _FOR_ALL if request.version >= version(number)))
    return {name: values for name, values in given.items() if name in allowed}


def _exists(request: ApiRequest, name: str) -> bool:
    return name not in _SINCE or request.version >= _SINCE[name]


def _project(request: ApiRequest, filters: Filters, *, is_detail: bool) -> str:
    """Return the project whose servers are asked for; empty for all."""
    mine = request.context.project_id
    named = (filters.pop("project_id", None) or filters.pop("tenant_id", None) or [mine])[-1]
    everybody = filters.pop("all_tenants", None)
    is_everybody = named != mine if everybody is None else read_bool("all_tenants", everybody[-1])
    if not is_everybody:
        return mine
    policy.enforce(request.context, f"os_compute_api:servers:{'detail' if is_detail else 'index'}:get_all_tenants")
    return named if named != mine or _names_project(request) else ""


def _names_project(request: ApiRequest) -> bool:
    return "project_id" in request.query or "tenant_id" in request.query


def _check_times(filters: Mapping[str, Sequence[str]]) -> None:
    since, before = filters.get("changes-since"), filters.get("changes-before")
    if since and before and _later(since[-1], before[-1]):
        raise Invalid("The value of changes-since must be less than or equal to changes-before.")


def _later(one: str, other: str) -> bool:
    return read_time(one) > read_time(other)


def _check_status(request: ApiRequest, filters: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether any status asked for exists; from 2.38 one that does not is refused."""
    words = {value.upper() for value in filters.get("status", ())}
    if not words or words & KNOWN:
        return True
    if request.version >= _STATUS_MUST_BE_KNOWN:
        raise Invalid("Invalid status value")
    return False


def _deleted(request: ApiRequest, filters: Filters) -> bool | None:
    """Return whether living or deleted servers are asked for; None for both."""
    is_admin = policy.allows(request.context, "os_compute_api:servers:allow_all_filters")
    if "DELETED" in (value.upper() for value in filters.get("status", ())):
        if not is_admin:
            raise Forbidden("Only administrators may list deleted instances")
        return True
    if "deleted" in filters:
        return read_bool("deleted", filters["deleted"][-1])
    return None if "changes-since" in filters or "changes-before" in filters else False


def _keeps(request: ApiRequest, filters: Filters) -> bool:
    """Return whether soft-deleted servers are asked for: by operators, among deleted ones or by name."""
    if not policy.allows(request.context, "os_compute_api:servers:allow_all_filters"):
        return False
    if "soft_deleted" in filters:
        return read_bool("soft_deleted", filters["soft_deleted"][-1])
    is_named = "SOFT_DELETED" in (value.upper() for value in filters.get("status", ()))
    return is_named or ("deleted" in filters and read_bool("deleted", filters["deleted"][-1]))


def _sort(request: ApiRequest) -> list[tuple[str, bool]]:
    keys = request.query.getlist("sort_key") or ["created_at"]
    directions = request.query.getlist("sort_dir")
    if len(directions) > len(request.query.getlist("sort_key") or keys):
        raise Invalid("Sort direction size exceeds sort key size")
    if not set(directions) <= {"asc", "desc"}:
        raise Invalid("Unknown sort direction, must be one of: asc, desc")
    default = directions[0] if directions else "desc"
    directions += [default] * (len(keys) - len(directions))
    is_admin = request.context.is_admin
    return [
        (key, direction == "desc") for key, direction in zip(keys, directions, strict=True)
        if key in {*SORT_KEYS, "locked"} and (is_admin or key not in _FOR_ADMINS_TO_SORT)
    ]  # fmt: skip
