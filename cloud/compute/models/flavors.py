"""Flavors (global database)."""

from django.db import models

from cloud.core.models import id_field


class Flavor(models.Model):
    """A size of server. `flavorid` is what clients call its id: a text of their own choice."""

    flavorid = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=255, unique=True)
    description = models.TextField(null=True, blank=True)
    vcpus = models.IntegerField()
    memory_mb = models.IntegerField()
    disk_gb = models.IntegerField(default=0)
    ephemeral_gb = models.IntegerField(default=0)
    swap_mb = models.IntegerField(default=0)
    rxtx_factor = models.FloatField(default=1.0)
    is_public = models.BooleanField(default=True)
    is_disabled = models.BooleanField(default=False)
    extra_specs = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name


class FlavorAccess(models.Model):
    """A project that may use a flavor that is not public."""

    flavor = models.ForeignKey(Flavor, models.CASCADE, related_name="access")
    project_id = id_field()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["flavor", "project_id"], name="one_flavor_access")]

    def __str__(self) -> str:
        return f"{self.flavor} {self.project_id}"
