"""How much of a network a port may take."""

from django.db import models

from cloud.core.models import new_uuid, uuid_field
from cloud.networks.models.standard import Standard


class QosPolicy(Standard):
    """A named set of limits for networks and ports. A project's default is that of networks which name none."""

    shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)

    class Meta:
        verbose_name = "QoS policy"
        verbose_name_plural = "QoS policies"
        constraints = [
            models.UniqueConstraint(
                fields=["project_id"], condition=models.Q(is_default=True), name="one_default_qos_policy"
            ),
        ]


class BandwidthLimit(models.Model):
    """So many kilobits a second at most, out of a guest (`egress`) or into it (`ingress`). A burst of 0: the host's."""

    id = uuid_field(primary_key=True, default=new_uuid)
    policy = models.ForeignKey(QosPolicy, models.CASCADE, related_name="bandwidth_limits")
    direction = models.CharField(max_length=8, default="egress")
    max_kbps = models.IntegerField()
    max_burst_kbps = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "direction"], name="one_limit_a_direction")]

    def __str__(self) -> str:
        return f"{self.direction} {self.max_kbps} kbit/s"
