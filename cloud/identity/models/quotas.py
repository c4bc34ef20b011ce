"""Quotas: limits and usage of projects. Usage changes in the transaction that makes or removes the thing."""

from django.db import models

from cloud.core.models import id_field


class QuotaClassLimit(models.Model):
    """A default limit that differs from the built-in one. -1 for none."""

    resource = models.CharField(max_length=64, unique=True)
    limit = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.resource}: {self.limit}"


class QuotaLimit(models.Model):
    """A project's own limit. -1 for none."""

    project_id = id_field()
    resource = models.CharField(max_length=64)
    limit = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project_id", "resource"], name="one_limit")]

    def __str__(self) -> str:
        return f"{self.project_id} {self.resource}: {self.limit}"


class QuotaUsage(models.Model):
    """How much of a resource a project holds."""

    project_id = id_field()
    resource = models.CharField(max_length=64)
    in_use = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project_id", "resource"], name="one_usage"),
            models.CheckConstraint(condition=models.Q(in_use__gte=0), name="usage_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.project_id} {self.resource}: {self.in_use}"
