"""Providers, what they have, who holds it: as plain dicts, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import Count, QuerySet, Sum

from cloud.placement.errors import ProviderNotFound
from cloud.placement.models import Allocation, Inventory, ProviderTrait, ResourceProvider
from cloud.placement.selectors.trees import roots

Row = dict[str, Any]
# Every consumer is an instance here.
CONSUMER_TYPE = "INSTANCE"


def provider(uuid: str) -> Row:
    """Return one provider. Raises ProviderNotFound."""
    rows = provider_rows(ResourceProvider.objects.filter(uuid=uuid))
    if not rows:
        raise ProviderNotFound(uuid=uuid)
    return rows[0]


def provider_rows(providers: QuerySet[ResourceProvider]) -> list[Row]:
    """Return providers with `parent_uuid` and `root_uuid`, in the queryset's order."""
    columns = ("id", "uuid", "name", "generation", "aggregates", "parent__uuid", "updated_at")
    rows = list(providers.values(*columns))
    children = [row["id"] for row in rows if row["parent__uuid"]]
    above = roots(children) if children else {}
    for row in rows:
        row["parent_uuid"] = row.pop("parent__uuid")
        row["root_uuid"] = above.get(row["id"], row["uuid"])
    return rows


def inventories(provider_ids: Collection[int]) -> dict[int, list[Row]]:
    """Return the inventories of providers by their id, by resource class."""
    found: dict[int, list[Row]] = defaultdict(list)
    for row in Inventory.objects.filter(provider_id__in=provider_ids).order_by("resource_class").values():
        found[row["provider_id"]].append(row)
    return found


def traits(provider_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the traits of providers by their id, sorted."""
    found: dict[int, list[str]] = defaultdict(list)
    pairs = ProviderTrait.objects.filter(provider_id__in=provider_ids).order_by("name")
    for provider_id, name in pairs.values_list("provider_id", "name"):
        found[provider_id].append(name)
    return found


def trait_names(prefix: str = "", names: Collection[str] | None = None) -> list[str]:
    """Return the traits that providers have: those with a prefix, or those among some names."""
    rows = ProviderTrait.objects.filter(name__startswith=prefix)
    if names is not None:
        rows = rows.filter(name__in=names)
    return list(rows.values_list("name", flat=True).distinct().order_by("name"))


def resource_classes() -> list[str]:
    """Return the resource classes that providers have."""
    rows = Inventory.objects.values_list("resource_class", flat=True)
    return list(rows.distinct().order_by("resource_class"))


def holders(provider_id: int) -> dict[str, dict[str, int]]:
    """Return what is held of a provider: {consumer: {resource class: amount}}."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    rows = Allocation.objects.filter(provider_id=provider_id).order_by("id")
    for consumer, name, used in rows.values_list("consumer_uuid", "resource_class", "used"):
        found[consumer][name] = used
    return found


def held_by(consumer_uuid: str) -> list[Row]:
    """Return what a consumer holds, with the provider's uuid and generation."""
    columns = ("resource_class", "used", "project_id", "user_id", "provider__uuid", "provider__generation")
    return list(Allocation.objects.filter(consumer_uuid=consumer_uuid).order_by("id").values(*columns))


def used_by(project_id: str, user_id: str = "") -> tuple[dict[str, int], int]:
    """Return how much a project, or one of its users, holds of each resource class, and how many consumers do."""
    rows = Allocation.objects.filter(project_id=project_id)
    if user_id:
        rows = rows.filter(user_id=user_id)
    sums = rows.order_by("resource_class").values_list("resource_class").annotate(total=Sum("used"))
    consumers = rows.aggregate(count=Count("consumer_uuid", distinct=True))["count"]
    return dict(sums), consumers
