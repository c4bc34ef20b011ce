"""Operations and their steps: the truth about every workflow (cell). The canvas is only its fast path."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field


class OperationState(models.TextChoices):
    """How an operation stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class StepState(models.TextChoices):
    """How a step stands."""

    PENDING = "pending"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Operation(models.Model):
    """One workflow on one instance: what os-instance-actions calls an action.

    Attributes:
        action: Nova's name of it: create, delete, stop, start, reboot, ...
        workflow: name under which the conductor registered its launcher.
        plan: what the request asked beyond the instance, e.g. {"hard": true}.
        attempt: generation; grows when another host is tried. Orders of an older one are refused everywhere.
        resend_at: when a reconciler sends the current step again if nothing moved it on.
        deadline: when it has failed, whatever happens.
        begun: tries of the current step that began and never ended; null until it is sent again. See services/tries.py.
        message: for the owner; detail: for operators; trace: the scheduler's who-removed-whom.
    """

    id = uuid_field(primary_key=True, default=new_uuid)
    instance_uuid = uuid_field()
    project_id = id_field()
    user_id = id_field()
    request_id = models.CharField(max_length=40, db_index=True)
    action = models.CharField(max_length=32)
    workflow = models.CharField(max_length=64)
    plan = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=12, choices=OperationState.choices, default=OperationState.RUNNING)
    attempt = models.IntegerField(default=1)
    host = models.CharField(max_length=64, blank=True, default="")
    hosts_tried = models.JSONField(default=list, blank=True)
    alternates = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    resend_at = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField()
    begun = models.IntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=32, blank=True, default="")
    message = models.TextField(blank=True, default="")
    detail = models.TextField(blank=True, default="")
    trace = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["instance_uuid", "-started_at"], name="operation_of_instance"),
            models.Index(
                fields=["resend_at"], condition=models.Q(state=OperationState.RUNNING), name="operation_running"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.instance_uuid}"


class Step(models.Model):
    """A node of an operation's graph.

    `after` names the steps that must be done before it; `sends` counts how often its order was sent.
    """

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="steps")
    position = models.IntegerField()
    name = models.CharField(max_length=40)
    after = models.JSONField(default=list, blank=True)
    attempt = models.IntegerField(default=1)
    host = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=12, choices=StepState.choices, default=StepState.PENDING)
    sends = models.IntegerField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    deadline = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=32, blank=True, default="")
    detail = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["operation", "attempt", "name"], name="one_step")]

    def __str__(self) -> str:
        return f"{self.name} of {self.operation_id}"
