"""Columns that every kind of resource has which clients name, describe and change."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field


class Standard(models.Model):
    """A resource of a project."""

    id = uuid_field(primary_key=True, default=new_uuid)
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = id_field(db_index=True)
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name or self.id
