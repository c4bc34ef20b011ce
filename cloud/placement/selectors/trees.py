"""Trees of providers: a query for each generation of them, none where there is only one."""

from collections.abc import Collection

from cloud.placement.models import ResourceProvider


def roots(provider_ids: Collection[int]) -> dict[int, str]:
    """Return the uuid of each provider's root by the provider's id."""
    found: dict[int, str] = {}
    above = {provider_id: provider_id for provider_id in provider_ids}
    while above:
        rows = ResourceProvider.objects.filter(id__in=set(above.values())).values_list("id", "uuid", "parent_id")
        known = {row_id: (uuid, parent_id) for row_id, uuid, parent_id in rows}
        climbing: dict[int, int] = {}
        for provider_id, ancestor in above.items():
            uuid, parent_id = known.get(ancestor, ("", None))
            if parent_id is None:
                found[provider_id] = uuid
            else:
                climbing[provider_id] = parent_id
        above = climbing
    return found


def tree_of(uuid: str) -> set[int]:
    """Return the ids of all providers of a provider's tree; none for an unknown uuid."""
    provider_id = ResourceProvider.objects.filter(uuid=uuid).values_list("id", flat=True).first()
    if provider_id is None:
        return set()
    root = roots([provider_id])[provider_id]
    generation = set(ResourceProvider.objects.filter(uuid=root).values_list("id", flat=True))
    tree = set(generation)
    while generation:
        generation = set(ResourceProvider.objects.filter(parent_id__in=generation).values_list("id", flat=True)) - tree
        tree |= generation
    return tree
