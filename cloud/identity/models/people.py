"""Domains, projects and users."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from cloud.core.models import id_field, new_hex_id


def token_generation() -> models.PositiveIntegerField:
    """Return a counter that every token of its row is stamped with: count it up, and the older ones are refused."""
    return models.PositiveIntegerField(default=0, editable=False)


class Domain(models.Model):
    """A name space for users and projects."""

    id = id_field(primary_key=True, default=new_hex_id)
    name = models.CharField(max_length=64, unique=True)
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    tags = models.JSONField(default=list, blank=True)
    token_generation = token_generation()
    extra = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """What owns things and has quotas."""

    id = id_field(primary_key=True, default=new_hex_id)
    name = models.CharField(max_length=64)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="projects")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    tags = models.JSONField(default=list, blank=True)
    token_generation = token_generation()
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="project_name_in_domain")]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Finds users for Django's login: by name in the default domain."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user of that name in the default domain."""
        return self.get(domain_id="default", name=username)


class User(AbstractBaseUser):
    """A person or a program. `is_staff` opens the admin UI."""

    id = id_field(primary_key=True, default=new_hex_id)
    name = models.CharField(max_length=255)
    domain = models.ForeignKey(Domain, models.PROTECT, related_name="users")
    email = models.CharField(max_length=255, blank=True, default="")
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    default_project_id = id_field(blank=True, default="")
    is_staff = models.BooleanField(default=False)
    token_generation = token_generation()
    extra = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "name"
    objects = UserManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="user_name_in_domain")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        """Django's word for enabled."""
        return self.enabled

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Staff may do everything in the admin UI."""
        return self.enabled and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        """Staff see every app in the admin UI."""
        return self.enabled and self.is_staff
