"""Security groups and their rules."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field


class SecurityGroup(models.Model):
    """A named set of rules. Each project has one called `default`, made when it is first needed."""

    id = uuid_field(primary_key=True, default=new_uuid)
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = id_field(db_index=True)
    is_default = models.BooleanField(default=False)
    stateful = models.BooleanField(default=True)
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project_id"], condition=models.Q(is_default=True), name="one_default_group"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SecurityGroupRule(models.Model):
    """A rule. Empty protocol, prefix or port means any."""

    id = uuid_field(primary_key=True, default=new_uuid)
    group = models.ForeignKey(SecurityGroup, models.CASCADE, related_name="rules")
    project_id = id_field()
    description = models.CharField(max_length=255, blank=True, default="")
    direction = models.CharField(max_length=8)
    ethertype = models.CharField(max_length=8, default="IPv4")
    protocol = models.CharField(max_length=32, null=True, blank=True)
    port_range_min = models.IntegerField(null=True, blank=True)
    port_range_max = models.IntegerField(null=True, blank=True)
    remote_ip_prefix = models.CharField(max_length=64, null=True, blank=True)
    remote_group = models.ForeignKey(SecurityGroup, models.CASCADE, null=True, blank=True, related_name="+")
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.direction} {self.ethertype} {self.protocol or 'any'}"
