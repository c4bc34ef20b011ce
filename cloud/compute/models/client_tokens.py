"""What makes a repeated create request one request (cell)."""

from django.db import models

from cloud.core.models import id_field


class ClientToken(models.Model):
    """A client's own name for one create request of a project.

    `fingerprint` is the SHA-256 of what was asked, so that a name used for something else is noticed;
    `reservation_id` leads to the servers that the request made.
    """

    project_id = id_field()
    token = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    reservation_id = models.CharField(max_length=16, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project_id", "token"], name="one_client_token")]
        indexes = [models.Index(fields=["created_at"], name="client_token_age")]

    def __str__(self) -> str:
        return self.token
