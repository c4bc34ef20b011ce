"""Which hosts may speak, and be spoken to (cell)."""

from django.db import models


class HostCredential(models.Model):
    """The credential of one agent, for the hosts that it speaks for.

    The key and the Redis password are derived from the installation's secret, the name and `salt`: a copy of the
    database has neither. A row outlives its credential: a host that had one is never believed without a signature.
    """

    name = models.CharField(max_length=64, unique=True)
    # Names, or the beginning of many: `fake-*`.
    hosts = models.JSONField(default=list)
    salt = models.CharField(max_length=32)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_index=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    # Switched off because of what it did; `host_enroll --renew` lets it come again.
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_reason = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        verbose_name = "host credential"

    def __str__(self) -> str:
        return self.name

    @property
    def is_living(self) -> bool:
        """Whether it is good for anything."""
        return self.dismissed_at is None and self.suspended_at is None
