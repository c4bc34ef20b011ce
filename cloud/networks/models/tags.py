"""Tags of every kind of resource, in rows, so that a list can be filtered by them on both databases."""

from django.db import models

from cloud.core.models import uuid_field


class ResourceTag(models.Model):
    """A word on a network, a subnet, a port or a security group, named by its id."""

    resource_id = uuid_field()
    tag = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource_id", "tag"], name="one_resource_tag")]
        indexes = [models.Index(fields=["tag"], name="resource_tag")]

    def __str__(self) -> str:
        return self.tag
