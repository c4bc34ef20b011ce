"""Instances, what clients call servers (cell)."""

from django.db import models

from cloud.compute import states
from cloud.core.models import id_field, new_uuid, uuid_field


class Instance(models.Model):
    """A server.

    `flavor` is a copy of the flavor at the time: {flavorid, name, vcpus, memory_mb, disk_gb, ephemeral_gb, swap_mb,
    extra_specs}. `image_properties` is a copy too. Deleted rows stay, for `changes-since` and the operation history.
    """

    uuid = uuid_field(unique=True, default=new_uuid)
    project_id = id_field()
    user_id = id_field()
    display_name = models.CharField(max_length=255)
    description = models.CharField(max_length=255, null=True, blank=True)
    hostname = models.CharField(max_length=255, default="")
    vm_state = models.CharField(max_length=32, default=states.BUILDING)
    task_state = models.CharField(max_length=32, blank=True, default=states.SCHEDULING)
    power_state = models.IntegerField(default=0)
    host = models.CharField(max_length=64, blank=True, default="")
    node = models.CharField(max_length=255, blank=True, default="")
    availability_zone = models.CharField(max_length=255, blank=True, default="")
    pinned_availability_zone = models.CharField(max_length=255, blank=True, default="")
    flavor = models.JSONField()
    image_ref = models.CharField(max_length=36, blank=True, default="")
    image_properties = models.JSONField(default=dict, blank=True)
    key_name = models.CharField(max_length=255, null=True, blank=True)
    key_data = models.TextField(blank=True, default="")
    user_data = models.TextField(blank=True, default="")
    config_drive = models.BooleanField(default=False)
    metadata = models.JSONField(default=dict, blank=True)
    disk_config = models.CharField(max_length=8, default="MANUAL")
    reservation_id = models.CharField(max_length=16, blank=True, default="")
    launch_index = models.IntegerField(default=0)
    root_device_name = models.CharField(max_length=32, default="/dev/vda")
    access_ip_v4 = models.CharField(max_length=64, blank=True, default="")
    access_ip_v6 = models.CharField(max_length=64, blank=True, default="")
    locked = models.BooleanField(default=False)
    locked_by = models.CharField(max_length=8, blank=True, default="")
    locked_reason = models.CharField(max_length=255, null=True, blank=True)
    progress = models.IntegerField(default=0)
    scheduler_hints = models.JSONField(default=dict, blank=True)
    # contracts.scheduling.RequestSpec in wire form; every move is planned from it.
    request_spec = models.JSONField(default=dict, blank=True)
    # What the create request asked of the network: {"auto": bool, "requests": [{network_id, port_id, fixed_ip, tag}],
    # "security_groups": [ids]}
    network_request = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    launched_at = models.DateTimeField(null=True, blank=True)
    terminated_at = models.DateTimeField(null=True, blank=True)
    deleted = models.BooleanField(default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "server"
        indexes = [
            # Of the living only: SQLite does not see that `NOT deleted` is a value of a column `deleted`.
            models.Index(fields=["project_id", "-created_at", "-id"], name="living_of_project",
                         condition=models.Q(deleted=False)),
            models.Index(fields=["-created_at", "-id"], name="living", condition=models.Q(deleted=False)),
            models.Index(fields=["host", "deleted"], name="instance_host"),
            models.Index(fields=["updated_at"], name="instance_updated"),
            models.Index(fields=["reservation_id"], name="instance_reservation"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def name(self) -> str:
        """The hypervisor's name of the domain."""
        return f"instance-{self.id:08x}"


class InstanceFault(models.Model):
    """Why an instance is in ERROR: `message` for its owner, `details` for operators."""

    instance_uuid = uuid_field(db_index=True)
    code = models.IntegerField(default=500)
    message = models.TextField()
    details = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.message


class InstanceTag(models.Model):
    """A tag of an instance."""

    instance_uuid = uuid_field()
    tag = models.CharField(max_length=60)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["instance_uuid", "tag"], name="one_instance_tag")]
        indexes = [models.Index(fields=["tag"], name="instance_tag")]

    def __str__(self) -> str:
        return self.tag
