"""Application credentials, and which tokens are no longer good."""

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
    access_rules = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="credential_name_of_user")]

    def __str__(self) -> str:
        return self.name


class Revocation(models.Model):
    """Tokens with this audit id, or of this user or project and issued before this time, are refused."""

    audit_id = models.CharField(max_length=64, blank=True, default="", db_index=True)
    user_id = id_field(blank=True, default="")
    project_id = id_field(blank=True, default="")
    issued_before = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.audit_id or self.user_id or self.project_id
