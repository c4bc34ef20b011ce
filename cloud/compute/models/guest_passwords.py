"""Passwords that guests made for themselves (cell)."""

from django.db import models

from cloud.core.models import uuid_field


class GuestPassword(models.Model):
    """What a guest gave its metadata service; as a rule encrypted for the owner's key. Few servers have one."""

    instance_uuid = uuid_field(primary_key=True)
    password = models.TextField()

    def __str__(self) -> str:
        return self.instance_uuid
