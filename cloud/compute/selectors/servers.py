"""Finding servers: one by its id, or a page of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.db import DataError
from django.db.models import CharField, DateTimeField, F, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from cloud.compute import states
from cloud.compute.errors import InstanceNotFound
from cloud.compute.models import Instance
from cloud.core.context import RequestContext
from cloud.core.errors import Invalid
from cloud.core.long_lists import LONG
from cloud.core.paging import after_marker, ordered

Row = dict[str, Any]
_UNSEEN = frozenset({"key_data", "request_spec", "network_request"})
# What a whole view is made of, and what the line of a plain list is.
BRIEF = ("uuid", "display_name")
COLUMNS = tuple(one.attname for one in Instance._meta.concrete_fields if one.attname not in _UNSEEN)
_EPOCH = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=DateTimeField())


def visible(context: RequestContext) -> QuerySet[Instance]:
    """Return the living instances that the context may see: an administrator sees those of every project."""
    rows = Instance.objects.filter(deleted=False)
    return rows if context.is_admin else rows.filter(project_id=context.project_id)


def get(context: RequestContext, uuid: str) -> Instance:
    """Return a living instance.

    Raises:
        InstanceNotFound: there is none, or it is another project's.
    """
    found = visible(context).filter(uuid=uuid).first()
    if found is None:
        raise InstanceNotFound(uuid=uuid)
    return found


def get_with_deleted(context: RequestContext, uuid: str) -> Instance:
    """Return an instance that lives or lived. Raises InstanceNotFound."""
    rows = Instance.objects.filter(uuid=uuid)
    found = (rows if context.is_admin else rows.filter(project_id=context.project_id)).first()
    if found is None:
        raise InstanceNotFound(uuid=uuid)
    return found


def get_row(context: RequestContext, uuid: str) -> Row:
    """Return a living instance as the row that views are made of. Raises InstanceNotFound."""
    found = visible(context).filter(uuid=uuid).values(*COLUMNS).first()
    if found is None:
        raise InstanceNotFound(uuid=uuid)
    return found


def _text_or_empty(column: str) -> Coalesce:
    return Coalesce(F(column), Value(""), output_field=CharField())


# What clients call a sort key -> column, or an expression in place of a column that may be null.
_SORT_COLUMNS: dict[str, str | Any] = {
    **{name: name for name in (
        "availability_zone", "config_drive", "created_at", "display_name", "host", "hostname", "image_ref",
        "launch_index", "locked", "locked_by", "node", "power_state", "progress", "project_id", "root_device_name",
        "task_state", "updated_at", "user_id", "uuid", "vm_state", "access_ip_v4", "access_ip_v6", "id",
        "reservation_id", "deleted",
    )},
    "auto_disk_config": "disk_config",
    "display_description": _text_or_empty("description"),
    "key_name": _text_or_empty("key_name"),
    "launched_at": Coalesce(F("launched_at"), _EPOCH),
    "terminated_at": Coalesce(F("terminated_at"), _EPOCH),
    "deleted_at": Coalesce(F("deleted_at"), _EPOCH),
    "instance_type_id": Coalesce(KeyTextTransform("flavorid", "flavor"), Value(""), output_field=CharField()),
}  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """Which servers, in which order, from where on.

    Attributes:
        project_id: empty for those of every project.
        condition: what the filters come to.
        deleted: None for both the living and the dead. keeps: whether soft-deleted ones are among them, which live but
            count as either.
        sort: (key, is_descending); keys outside the table of columns say nothing.
        marker: uuid of the last row of the page before; empty for the first page.
    """

    project_id: str
    limit: int
    condition: Q = field(default_factory=Q)
    deleted: bool | None = False
    keeps: bool = False
    sort: Sequence[tuple[str, bool]] = (("created_at", True),)
    marker: str = ""


def page(listing: Listing, columns: Sequence[str] = COLUMNS) -> list[Row]:
    """Return a page of servers as rows of these columns: one query, one more with a marker.

    Raises:
        Invalid: the marker is not among the project's servers, or the database refuses a pattern.
    """
    rows = Instance.objects.all()
    if listing.project_id:
        rows = rows.filter(project_id=listing.project_id)
    rows = rows.filter(_life(listing))
    rows, sort = _annotated(rows, listing.sort)
    try:
        if listing.marker:
            rows = after_marker(rows, sort, _marker_row(listing, sort))
        return list(ordered(rows.filter(listing.condition), sort).values(*columns)[: listing.limit])
    except DataError as error:
        raise Invalid("The database cannot use one of the filters; is it a regular expression?") from error


def is_long(listing: Listing) -> bool:
    """Tell whether a page is a long list. Raises as `page` does."""
    return listing.limit > LONG and len(page(replace(listing, limit=LONG + 1), ("id",))) > LONG


def _life(listing: Listing) -> Q:
    if listing.deleted is None:
        return Q()
    is_kept, is_either = Q(vm_state=states.SOFT_DELETED), Q(deleted=listing.deleted)
    if listing.deleted:
        return is_either | (Q(deleted=False) & is_kept) if listing.keeps else is_either
    return is_either if listing.keeps else is_either & ~is_kept


def _annotated(rows: QuerySet[Instance], keys: Sequence[tuple[str, bool]]) -> tuple[Any, list[tuple[str, bool]]]:
    """Add the expressions that the sort needs; return the rows and the sort in columns, ending in a unique one."""
    sort: list[tuple[str, bool]] = []
    for key, is_descending in keys:
        column = _SORT_COLUMNS.get(key)
        if column is None:
            continue
        if not isinstance(column, str):
            rows = rows.annotate(**{f"sort_{key}": column})
            column = f"sort_{key}"
        sort.append((column, is_descending))
    sort.append(("id", sort[-1][1] if sort else True))
    return rows, sort


def _marker_row(listing: Listing, sort: Sequence[tuple[str, bool]]) -> Row:
    rows = Instance.objects.filter(uuid=listing.marker)
    if listing.project_id:
        rows = rows.filter(project_id=listing.project_id)
    annotated, _ = _annotated(rows, listing.sort)
    found = annotated.values(*(column for column, _ in sort)).first()
    if found is None:
        raise Invalid(f"marker [{listing.marker[:100]}] not found")
    return found
