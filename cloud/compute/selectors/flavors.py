"""Reading flavors."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce

from cloud.compute.errors import FlavorNotFound
from cloud.compute.models import Flavor, FlavorAccess
from cloud.compute.selectors.expressions import matching
from cloud.core.context import RequestContext, seen_by, viewer
from cloud.core.errors import Invalid
from cloud.core.kept import Kept
from cloud.core.paging import Sort, after_marker, ordered

# What clients may sort by, and the column it means. There are no vCPU weights: they are all alike.
SORT_KEYS = {
    "created_at": "created_at", "description": "description_text", "disabled": "is_disabled",
    "ephemeral_gb": "ephemeral_gb", "flavorid": "flavorid", "id": "id", "is_public": "is_public",
    "memory_mb": "memory_mb", "name": "name", "root_gb": "disk_gb", "rxtx_factor": "rxtx_factor",
    "swap": "swap_mb", "updated_at": "updated_at", "vcpu_weight": "id", "vcpus": "vcpus",
}  # fmt: skip


@dataclass(frozen=True)
class FlavorFilter:
    """Which flavors to list. `is_public` None is all of them; sizes are the least that will do."""

    is_public: bool | None = True
    with_disabled: bool = False
    min_ram: int = 0
    min_disk: int = 0
    name_pattern: str = ""


@dataclass(frozen=True)
class FlavorPage:
    """Which part of the list, in which order."""

    limit: int
    marker: str = ""
    sort_key: str = "flavorid"
    is_descending: bool = False


def usable(context: RequestContext) -> QuerySet[Flavor]:
    """Return the flavors that the context may see: admins all of them, a project what is public or its own."""
    return Flavor.objects.all() if context.is_admin else Flavor.objects.filter(_open_to(context.project_id))


_of_id: Kept[Flavor] = Kept(lambda flavor_id, **seen: usable(viewer(**seen)).filter(flavorid=flavor_id))


def get_flavor(context: RequestContext, flavor_id: str) -> Flavor:
    """Return a flavor by the id that clients know.

    Raises:
        FlavorNotFound: there is none, or it is another project's.
    """
    found = _of_id.first(flavor_id=flavor_id, **seen_by(context))
    if found is None:
        raise FlavorNotFound(flavor_id=flavor_id)
    return found


def lock_flavor(flavor: Flavor) -> Flavor:
    """Return the flavor's row as it is now, kept from others until the transaction ends.

    Raises:
        FlavorNotFound: somebody removed it in the meantime.
    """
    found = Flavor.objects.select_for_update().filter(pk=flavor.pk).first()
    if found is None:
        raise FlavorNotFound(flavor_id=flavor.flavorid)
    return found


def list_flavors(context: RequestContext, wanted: FlavorFilter, page: FlavorPage) -> list[dict[str, Any]]:
    """Return a page of flavors as rows of columns.

    Raises:
        Invalid: no such marker.
    """
    rows = usable(context).annotate(description_text=Coalesce("description", Value(""), output_field=TextField()))
    rows = _filtered(rows, context, wanted)
    sort = _sort(page)
    if page.marker:
        marker = rows.filter(flavorid=page.marker).values(*(column for column, _ in sort)).first()
        if marker is None:
            raise Invalid(f"marker [{page.marker}] not found")
        rows = after_marker(rows, sort, marker)
    return list(ordered(rows, sort).values()[: page.limit])


def projects_of(flavor: Flavor) -> list[str]:
    """Return the projects that may use a flavor that is not public."""
    return list(flavor.access.order_by("id").values_list("project_id", flat=True))


def _open_to(project_id: str) -> Q:
    # Not a join: a flavor with two rows of access would come twice.
    granted = FlavorAccess.objects.filter(project_id=project_id).values("flavor_id")
    return Q(is_public=True) | Q(id__in=granted) if project_id else Q(is_public=True)


def _filtered(rows: QuerySet[Flavor], context: RequestContext, wanted: FlavorFilter) -> QuerySet[Flavor]:
    if wanted.is_public is not None:
        rows = rows.filter(_open_to(context.project_id) if wanted.is_public else Q(is_public=False))
    if not wanted.with_disabled:
        rows = rows.filter(is_disabled=False)
    if wanted.name_pattern:
        rows = rows.filter(matching("name", wanted.name_pattern))
    return rows.filter(memory_mb__gte=wanted.min_ram, disk_gb__gte=wanted.min_disk)


def _sort(page: FlavorPage) -> Sort:
    column = SORT_KEYS[page.sort_key]
    return [(name, page.is_descending) for name in dict.fromkeys((column, "id"))]
