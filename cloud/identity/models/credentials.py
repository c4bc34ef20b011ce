"""Application credentials, and what tells which tokens are no longer good."""

from django.db import models

from cloud.core.models import id_field, new_hex_id
from cloud.identity.models.assignments import Role
from cloud.identity.models.people import Project, User


class ApplicationCredential(models.Model):
    """A secret that stands for its user in one project, with no more roles than the user has at the time of use."""

    id = id_field(primary_key=True, default=new_hex_id)
    name = models.CharField(max_length=255)
    user = models.ForeignKey(User, models.CASCADE, related_name="application_credentials")
    project = models.ForeignKey(Project, models.CASCADE, related_name="application_credentials")
    roles = models.ManyToManyField(Role)
    secret_hash = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    unrestricted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="credential_name_of_user")]

    def __str__(self) -> str:
        return self.name


class Revocation(models.Model):
    """One token that is refused until it expires. A user's or project's tokens go by `token_generation` instead."""

    audit_id = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.audit_id


class RevocationEpoch(models.Model):
    """One row that counts every change which may take rights from a token, so that caches know when to forget."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)
