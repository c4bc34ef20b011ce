"""What is shared with single projects, and what was made for one that asked for nothing but a network."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field
from cloud.networks.models.networks import Network
from cloud.networks.models.routers import Router


class RbacPolicy(models.Model):
    """A right to use another project's resource. `target_project` is a project, or EVERYBODY."""

    EVERYBODY = "*"
    SHARED = "access_as_shared"
    EXTERNAL = "access_as_external"

    id = uuid_field(primary_key=True, default=new_uuid)
    project_id = id_field(db_index=True)
    object_type = models.CharField(max_length=32)
    object_id = uuid_field(db_index=True)
    action = models.CharField(max_length=32)
    target_project = id_field()

    class Meta:
        verbose_name_plural = "RBAC policies"
        constraints = [
            models.UniqueConstraint(fields=["object_id", "action", "target_project"], name="one_rbac_policy"),
        ]
        indexes = [models.Index(fields=["target_project", "object_type"], name="rbac_target")]

    def __str__(self) -> str:
        return f"{self.object_type} {self.object_id} for {self.target_project}"


class AutoTopology(models.Model):
    """The network and router that were made for a project that asked for any."""

    project_id = id_field(primary_key=True)
    network = models.OneToOneField(Network, models.CASCADE, related_name="auto_topology")
    router = models.ForeignKey(Router, models.SET_NULL, null=True, related_name="auto_topologies")

    def __str__(self) -> str:
        return self.project_id
