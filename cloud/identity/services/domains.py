"""Making, changing and removing domains."""

from typing import Any

from django.db import transaction

from cloud.identity.errors import ActionForbidden, DomainStillEnabled
from cloud.identity.models import Domain, Project, User
from cloud.identity.selectors import people
from cloud.identity.services import quotas, revocations
from cloud.identity.services.foundation import DEFAULT_DOMAIN
from cloud.identity.services.storing import split, text, unique_name

_COLUMNS = ("name", "description", "enabled", "tags")


def create_domain(fields: dict[str, Any]) -> Domain:
    """Make a domain. Raises Duplicate."""
    columns, extra = split(fields, _COLUMNS)
    columns["description"] = text(columns.get("description"))
    domain = Domain(extra=extra, **columns)
    with unique_name("domain", domain):
        domain.save(force_insert=True)
    return domain


def update_domain(domain_id: str, fields: dict[str, Any]) -> Domain:
    """Change a domain. Being disabled ends the tokens of its users and projects. Raises NoSuch, Duplicate."""
    columns, extra = split(fields, _COLUMNS)
    if "description" in columns:
        columns["description"] = text(columns["description"])
    with transaction.atomic():
        domain = people.domain(domain_id, Domain.objects.select_for_update())
        if not columns.get("enabled", True):
            domain.token_generation += 1
        for name, value in columns.items():
            setattr(domain, name, value)
        domain.extra = domain.extra | extra
        with unique_name("domain", domain):
            domain.save()
        revocations.bump()
    return domain


def delete_domain(domain_id: str) -> None:
    """Remove a disabled domain with its users, projects and roles.

    Raises:
        NoSuch, DomainStillEnabled. ActionForbidden: the default domain stays.
    """
    with transaction.atomic():
        domain = people.domain(domain_id, Domain.objects.select_for_update())
        if domain.enabled:
            raise DomainStillEnabled
        if domain_id == DEFAULT_DOMAIN:
            raise ActionForbidden(action="delete the default domain")
        for project_id in Project.objects.filter(domain=domain).values_list("id", flat=True):
            quotas.forget(project_id)
        Project.objects.filter(domain=domain).update(parent=None)
        Project.objects.filter(domain=domain).delete()
        User.objects.filter(domain=domain).delete()
        domain.delete()
        revocations.bump()
