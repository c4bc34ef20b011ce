"""Projects, as far as compute must know them."""

from cloud.core.errors import Invalid
from cloud.identity.models import Project


def check_project(project_id: str) -> None:
    """Refuse the id of a project that does not exist.

    Raises:
        Invalid
    """
    if not Project.objects.filter(id=project_id).exists():
        raise Invalid(f"Project ID {project_id} is not a valid project.")
