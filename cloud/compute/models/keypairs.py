"""Key pairs (global database)."""

from django.db import models

from cloud.core.models import id_field


class KeyPair(models.Model):
    """A user's public key. The private half is never kept."""

    user_id = id_field()
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=8, default="ssh")
    fingerprint = models.CharField(max_length=255)
    public_key = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "key pair"
        constraints = [models.UniqueConstraint(fields=["user_id", "name"], name="key_name_of_user")]

    def __str__(self) -> str:
        return self.name
