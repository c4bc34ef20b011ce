"""What every installation begins with: the default domain, the roles, what they imply."""

from django.db import transaction

from cloud.identity.models import Domain, Role, RoleInference

DEFAULT_DOMAIN = "default"
ROLES = ("admin", "manager", "member", "reader", "service")
INFERENCES = (("admin", "manager"), ("manager", "member"), ("member", "reader"))


def lay_foundation() -> dict[str, Role]:
    """Make what is missing and return the roles by name. Cheap where nothing is missing.

    A role's option `immutable` keeps it from being deleted or renamed by mistake.
    """
    with transaction.atomic():
        Domain.objects.get_or_create(
            pk=DEFAULT_DOMAIN, defaults={"name": "Default", "description": "The default domain"}
        )
        roles = {role.name: role for role in Role.objects.filter(name__in=ROLES, domain=None)}
        for name in ROLES:
            if name not in roles:
                roles[name] = Role.objects.create(name=name, options={"immutable": True})
        wanted = [RoleInference(prior=roles[prior], implied=roles[implied]) for prior, implied in INFERENCES]
        RoleInference.objects.bulk_create(wanted, ignore_conflicts=True)
    return roles
