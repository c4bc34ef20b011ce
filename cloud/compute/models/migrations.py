"""Moves of servers from one host to another, what clients call migrations (cell)."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field


class MigrationStatus(models.TextChoices):
    """How a move stands, in Nova's words."""

    PRE_MIGRATING = "pre-migrating"
    MIGRATING = "migrating"
    POST_MIGRATING = "post-migrating"
    FINISHED = "finished"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    REVERTING = "reverting"
    REVERTED = "reverted"
    DONE = "done"
    COMPLETED = "completed"
    ERROR = "error"


# While a move is in one of these, the source holds what it held under the uuid of the move.
UNFINISHED = (
    MigrationStatus.PRE_MIGRATING, MigrationStatus.MIGRATING, MigrationStatus.POST_MIGRATING, MigrationStatus.FINISHED,
    MigrationStatus.CONFIRMING, MigrationStatus.REVERTING,
)  # fmt: skip


EVACUATION = "evacuation"
# The server is its new host's for good, and what its old one still has of it is dead.
LEFT_BEHIND = (MigrationStatus.POST_MIGRATING, MigrationStatus.DONE)


class Migration(models.Model):
    """A move.

    Attributes:
        migration_type: `resize`, `migration` (the same flavor) or `evacuation` (of a dead host; `done` until that is
            back and has nothing of the server any more, `completed` then).
        before, after: {"flavor": ..., "request_spec": ...} of the instance.
        vm_state: of the instance when it began; what was off stays off.
        left_at: since when what the new host has of the server is dead, which was off when the server was taken back
            without its word; nothing once it has said that it has nothing of it.
        disks: what travels, as `contracts.compute.DiskSent` on the wire.
    """

    uuid = uuid_field(unique=True, default=new_uuid)
    instance_uuid = uuid_field()
    project_id = id_field()
    user_id = id_field()
    operation_id = uuid_field()
    migration_type = models.CharField(max_length=16)
    status = models.CharField(max_length=16, choices=MigrationStatus.choices, default=MigrationStatus.PRE_MIGRATING)
    source_compute = models.CharField(max_length=64)
    source_node = models.CharField(max_length=255, blank=True, default="")
    dest_compute = models.CharField(max_length=64, blank=True, default="")
    dest_node = models.CharField(max_length=255, blank=True, default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    vm_state = models.CharField(max_length=32)
    disks = models.JSONField(default=list, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["instance_uuid"], condition=models.Q(status__in=UNFINISHED), name="one_unfinished_migration"
            )
        ]
        indexes = [
            models.Index(fields=["instance_uuid", "-created_at"], name="migration_of_instance"),
            models.Index(fields=["-updated_at"], name="migration_updated"),
            models.Index(
                fields=["source_compute"], name="left_behind",
                condition=models.Q(migration_type=EVACUATION, status__in=LEFT_BEHIND),
            ),
            models.Index(fields=["dest_compute"], name="left_at_dest", condition=models.Q(left_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.migration_type} of {self.instance_uuid}"
