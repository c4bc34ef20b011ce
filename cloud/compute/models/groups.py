"""Host aggregates and server groups (global database)."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field


class Aggregate(models.Model):
    """A set of hosts with metadata; `availability_zone` in it makes the hosts a zone."""

    uuid = uuid_field(unique=True, default=new_uuid)
    name = models.CharField(max_length=255, unique=True)
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class AggregateHost(models.Model):
    """A host's membership in an aggregate."""

    aggregate = models.ForeignKey(Aggregate, models.CASCADE, related_name="hosts")
    host = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["aggregate", "host"], name="one_aggregate_host")]

    def __str__(self) -> str:
        return f"{self.aggregate} {self.host}"


class ServerGroup(models.Model):
    """Servers that shall be together or apart."""

    uuid = uuid_field(unique=True, default=new_uuid)
    name = models.CharField(max_length=255)
    project_id = id_field(db_index=True)
    user_id = id_field()
    policy = models.CharField(max_length=32)
    rules = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class ServerGroupMember(models.Model):
    """An instance's membership in a group."""

    group = models.ForeignKey(ServerGroup, models.CASCADE, related_name="members")
    instance_uuid = uuid_field(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "instance_uuid"], name="one_group_member")]

    def __str__(self) -> str:
        return f"{self.group} {self.instance_uuid}"
