"""Roles, what they imply, and who has them where."""

from django.db import models
from django.db.models import Q

from cloud.core.models import id_field, new_hex_id
from cloud.identity.models.people import Domain, Project, User


class Role(models.Model):
    """A role. `admin` implies `manager`, that implies `member`, that implies `reader`."""

    id = id_field(primary_key=True, default=new_hex_id)
    name = models.CharField(max_length=255)
    domain = models.ForeignKey(Domain, models.CASCADE, null=True, blank=True)
    description = models.TextField(blank=True, default="")
    options = models.JSONField(default=dict, blank=True)

    class Meta:
        # Two, because SQLite cannot take nulls for equal.
        constraints = [
            models.UniqueConstraint(fields=["domain", "name"], name="role_name_in_domain"),
            models.UniqueConstraint(fields=["name"], condition=Q(domain=None), name="role_name_in_no_domain"),
        ]

    def __str__(self) -> str:
        return self.name


class RoleInference(models.Model):
    """`prior` implies `implied`."""

    prior = models.ForeignKey(Role, models.CASCADE, related_name="implies")
    implied = models.ForeignKey(Role, models.CASCADE, related_name="implied_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prior", "implied"], name="one_inference")]

    def __str__(self) -> str:
        return f"{self.prior} implies {self.implied}"


class RoleAssignment(models.Model):
    """A user has a role in a project, in a domain or in the system; exactly one of the three."""

    user = models.ForeignKey(User, models.CASCADE, related_name="assignments")
    role = models.ForeignKey(Role, models.CASCADE, related_name="assignments")
    project = models.ForeignKey(Project, models.CASCADE, null=True, blank=True, related_name="assignments")
    domain = models.ForeignKey(Domain, models.CASCADE, null=True, blank=True, related_name="assignments")
    is_system = models.BooleanField(default=False)
    is_inherited = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "project", "is_inherited"], condition=Q(project__isnull=False),
                name="one_assignment_in_project",
            ),
            models.UniqueConstraint(
                fields=["user", "role", "domain", "is_inherited"], condition=Q(domain__isnull=False),
                name="one_assignment_in_domain",
            ),
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(is_system=True), name="one_assignment_in_system"
            ),
            models.CheckConstraint(
                condition=Q(project__isnull=False, domain=None, is_system=False)
                | Q(project=None, domain__isnull=False, is_system=False)
                | Q(project=None, domain=None, is_system=True),
                name="assignment_in_one_place",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        where = "system" if self.is_system else (self.project or self.domain)
        return f"{self.user} is {self.role} in {where}"
