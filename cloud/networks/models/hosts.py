"""What hosts are still to be told of their networks."""

from django.db import models


class NetworkChange(models.Model):
    """Something that hosts must hear of. It is gone once it is known which hosts these are.

    `kind`: a row of `cloud.networks.services.changes.HOSTS_OF`; `key`: which one.
    """

    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=255)

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class HostNetworkState(models.Model):
    """How far a host is with its networks: the version that it shall have, and the one that it said it has.

    Versions grow with the database's clock, in microseconds. `told_at`: when the host was last told; without it, it is
    to be told of a version that it does not have in its turn.
    """

    host = models.CharField(max_length=255, primary_key=True)
    wanted = models.BigIntegerField(default=0)
    applied = models.BigIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name = "networks of a host"
        verbose_name_plural = "networks of hosts"

    def __str__(self) -> str:
        return self.host

    @property
    def summary(self) -> str:
        """How far it is, in a sentence."""
        if self.error:
            return f"{self.host} could not apply its networks: {self.error}"
        if self.applied < self.wanted and self.told_at is None:
            return f"{self.host} is told in its turn of who came to its networks and groups."
        if self.applied < self.wanted:
            return f"{self.host} was told of a change and has not said that it is done."
        return f"{self.host} has its networks as they shall be."
