"""Making, changing and removing projects, and their tags."""

from typing import Any

from django.db import transaction

from cloud.core.errors import Invalid
from cloud.identity.errors import FieldIsImmutable, NoSuch, ProjectHasChildren
from cloud.identity.models import Domain, Project, User
from cloud.identity.selectors import people
from cloud.identity.services import quotas, revocations
from cloud.identity.services.storing import split, text, unique_name

_COLUMNS = ("name", "domain_id", "parent_id", "description", "enabled", "tags")
MOST_TAGS = 80


def create_project(fields: dict[str, Any], domain_id: str) -> Project:
    """Make a project.

    Args:
        fields: the attributes; those without a column are kept as the client's own. `parent_id` may be a domain's.
        domain_id: where neither a domain nor a parent is named.

    Raises:
        NoSuch, Duplicate. Invalid: the parent is in another domain.
    """
    if fields.get("is_domain"):
        raise Invalid("A project cannot act as a domain here; make a domain instead.")
    columns, extra = split(fields, _COLUMNS)
    parent, home = _place(columns.pop("parent_id", None), columns.pop("domain_id", None), domain_id)
    columns["description"] = text(columns.get("description"))
    project = Project(domain=home, parent=parent, extra=extra, **columns)
    with unique_name("project", project):
        project.save(force_insert=True)
    return project


def update_project(project_id: str, fields: dict[str, Any]) -> Project:
    """Change a project. Being disabled ends its tokens.

    Raises:
        NoSuch, Duplicate. FieldIsImmutable: the domain or the parent would change.
    """
    columns, extra = split(fields, _COLUMNS)
    with transaction.atomic():
        project = people.project(project_id, Project.objects.select_for_update())
        fixed = {"domain_id": project.domain_id, "parent_id": project.parent_id or project.domain_id}
        for name, value in fixed.items():
            if columns.pop(name, value) != value:
                raise FieldIsImmutable(field=name, kind="project")
        if "description" in columns:
            columns["description"] = text(columns["description"])
        if not columns.get("enabled", True):
            project.token_generation += 1
        for name, value in columns.items():
            setattr(project, name, value)
        project.extra = project.extra | extra
        with unique_name("project", project):
            project.save()
        revocations.bump()
    return project


def delete_project(project_id: str) -> None:
    """Remove a project with all roles in it, its quotas and its application credentials.

    Raises:
        NoSuch. ProjectHasChildren
    """
    with transaction.atomic():
        project = people.project(project_id, Project.objects.select_for_update())
        if project.children.exists():
            raise ProjectHasChildren(id=project_id)
        User.objects.filter(default_project_id=project_id).update(default_project_id="")
        quotas.forget(project_id)
        project.delete()
        revocations.bump()


def set_tags(project_id: str, tags: list[str]) -> list[str]:
    """Replace a project's tags. Raises NoSuch, Invalid."""
    with transaction.atomic():
        project = people.project(project_id, Project.objects.select_for_update())
        return _store_tags(project, tags)


def add_tag(project_id: str, tag: str) -> None:
    """Add a tag to a project. Raises NoSuch, Invalid."""
    with transaction.atomic():
        project = people.project(project_id, Project.objects.select_for_update())
        _store_tags(project, [*project.tags, tag])


def remove_tag(project_id: str, tag: str) -> None:
    """Remove a tag from a project. Raises NoSuch."""
    with transaction.atomic():
        project = people.project(project_id, Project.objects.select_for_update())
        if tag not in project.tags:
            raise NoSuch(kind="project tag", id=tag[:64])
        _store_tags(project, [one for one in project.tags if one != tag])


def _store_tags(project: Project, tags: list[str]) -> list[str]:
    project.tags = list(dict.fromkeys(tags))
    if len(project.tags) > MOST_TAGS:
        raise Invalid(f"A project has at most {MOST_TAGS} tags.")
    project.save(update_fields=["tags"])
    return project.tags


def _place(parent_id: str | None, named: str | None, default: str) -> tuple[Project | None, Domain]:
    """Return where a new project stands: its parent, None below a domain, and its domain."""
    parent = Project.objects.filter(pk=parent_id).first() if parent_id else None
    if parent is None:
        home = people.domain(named or parent_id or default)
        if parent_id and parent_id != home.id:
            raise NoSuch(kind="project", id=parent_id[:64])
        return None, home
    if named and named != parent.domain_id:
        raise Invalid("The parent project is in another domain.")
    return parent, parent.domain
