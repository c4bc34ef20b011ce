"""What providers are looked for by.

Source: https://docs.openstack.org/api-ref/placement/#list-resource-providers
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet

from cloud.placement.models import Inventory, ProviderTrait, ResourceProvider
from cloud.placement.selectors.trees import tree_of


@dataclass(frozen=True)
class AnyOf:
    """A provider has at least one of these; or, where forbidden, none of them."""

    names: Collection[str]
    is_forbidden: bool = False


@dataclass(frozen=True)
class Criteria:
    """What a provider must be and have; all of it.

    Attributes:
        name, uuid: exactly; empty for any. in_tree: uuid of a provider of the same tree.
        resources: what must be free of each class, in amounts that its inventory gives out at once.
        traits, aggregates: conditions, all of which hold.
    """

    name: str = ""
    uuid: str = ""
    in_tree: str = ""
    resources: Mapping[str, int] = field(default_factory=dict)
    traits: Sequence[AnyOf] = ()
    aggregates: Sequence[AnyOf] = ()


def matching(criteria: Criteria) -> QuerySet[ResourceProvider]:
    """Return the providers that meet the criteria, by id."""
    rows = ResourceProvider.objects.order_by("id")
    exact = {"name": criteria.name, "uuid": criteria.uuid}
    rows = rows.filter(**{column: value for column, value in exact.items() if value})
    if criteria.in_tree:
        rows = rows.filter(id__in=tree_of(criteria.in_tree))
    for name, amount in criteria.resources.items():
        rows = rows.filter(_has_free(name, amount))
    for condition in criteria.traits:
        has = Exists(ProviderTrait.objects.filter(provider=OuterRef("pk"), name__in=condition.names))
        rows = rows.filter(~has if condition.is_forbidden else has)
    return _in_aggregates(rows, criteria.aggregates)


def _has_free(resource_class: str, amount: int) -> Any:
    return Exists(
        Inventory.objects.alias(left=F("capacity") - F("used"), rest=amount % F("step_size")).filter(
            provider=OuterRef("pk"), resource_class=resource_class, left__gte=amount, rest=0,
            min_unit__lte=amount, max_unit__gte=amount,
        )
    )


def _in_aggregates(
    rows: QuerySet[ResourceProvider], conditions: Sequence[AnyOf]
) -> QuerySet[ResourceProvider]:
    if not conditions:
        return rows
    # A list in a column cannot be asked about in the same words on both databases; few providers have one.
    pairs = ResourceProvider.objects.exclude(aggregates=[]).values_list("id", "aggregates")
    members = {provider_id: set(aggregates) for provider_id, aggregates in pairs}
    for condition in conditions:
        ids = [provider_id for provider_id, aggregates in members.items() if aggregates & set(condition.names)]
        rows = rows.exclude(id__in=ids) if condition.is_forbidden else rows.filter(id__in=ids)
    return rows
