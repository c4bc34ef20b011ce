"""Resource providers, what they have, and who holds it.

Source: https://docs.openstack.org/placement/latest/
"""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field


class ResourceProvider(models.Model):
    """A host, as a giver of resources. `generation` grows with every change of inventory or allocation."""

    uuid = uuid_field(unique=True, default=new_uuid)
    name = models.CharField(max_length=200, unique=True)
    generation = models.BigIntegerField(default=0)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    aggregates = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class Inventory(models.Model):
    """How much of a resource class a provider has. `capacity` is what may be held: (total - reserved) * ratio."""

    provider = models.ForeignKey(ResourceProvider, models.CASCADE, related_name="inventories")
    resource_class = models.CharField(max_length=64)
    total = models.BigIntegerField()
    reserved = models.BigIntegerField(default=0)
    min_unit = models.BigIntegerField(default=1)
    max_unit = models.BigIntegerField(default=2147483647)
    step_size = models.BigIntegerField(default=1)
    allocation_ratio = models.FloatField(default=1.0)
    capacity = models.BigIntegerField()
    used = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "inventories"
        constraints = [
            models.UniqueConstraint(fields=["provider", "resource_class"], name="one_inventory"),
            models.CheckConstraint(condition=models.Q(used__gte=0), name="inventory_used_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.resource_class} {self.used}/{self.capacity}"


class Allocation(models.Model):
    """A consumer (an instance's uuid) holds so much of a resource class of a provider."""

    provider = models.ForeignKey(ResourceProvider, models.PROTECT, related_name="allocations")
    consumer_uuid = uuid_field(db_index=True)
    resource_class = models.CharField(max_length=64)
    used = models.BigIntegerField()
    project_id = id_field()
    user_id = id_field()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consumer_uuid", "provider", "resource_class"], name="one_allocation"),
        ]

    def __str__(self) -> str:
        return f"{self.consumer_uuid} {self.resource_class}={self.used}"


class ProviderTrait(models.Model):
    """A trait of a provider."""

    provider = models.ForeignKey(ResourceProvider, models.CASCADE, related_name="traits")
    name = models.CharField(max_length=255, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "name"], name="one_trait")]

    def __str__(self) -> str:
        return self.name
