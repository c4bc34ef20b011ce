"""Tables of the placement domain."""

from cloud.placement.models.providers import Allocation, Inventory, ProviderTrait, ResourceProvider

__all__ = ["Allocation", "Inventory", "ProviderTrait", "ResourceProvider"]
