"""Compute's part of a project's quotas."""

from collections.abc import Mapping

from django.db import transaction

from cloud.core.errors import Invalid
from cloud.identity.services import quotas

# In the order in which clients have always seen them.
RESOURCES = (
    "instances", "cores", "ram", "floating_ips", "fixed_ips", "metadata_items", "injected_files",
    "injected_file_content_bytes", "injected_file_path_bytes", "security_groups", "security_group_rules", "key_pairs",
    "server_groups", "server_group_members",
)  # fmt: skip
# What is limited in each thing by itself is not counted for a project.
_NOT_COUNTED = frozenset({"key_pairs", "metadata_items", "server_group_members"})
_HIGHEST = float("inf")


def limits_of(project_id: str) -> dict[str, int]:
    """Return the limits in force for a project, by resource."""
    return quotas.limits(project_id, RESOURCES)


def usages_of(project_id: str) -> dict[str, int]:
    """Return what a project holds, by resource."""
    held = quotas.usages(project_id, RESOURCES)
    return {name: 0 if name in _NOT_COUNTED else number for name, number in held.items()}


def default_limits() -> dict[str, int]:
    """Return the limits of a project without limits of its own."""
    known = quotas.class_limits()
    return {name: known[name] for name in RESOURCES}


def change_limits(project_id: str, changes: Mapping[str, int], *, is_forced: bool) -> None:
    """Give a project limits of its own, all or none; `is_forced`: even below what it holds already.

    Raises:
        Invalid: a limit is below what the project holds.
    """
    with transaction.atomic():
        if not is_forced:
            held = usages_of(project_id)
            for name, limit in changes.items():
                if _height(limit) < held[name]:
                    raise Invalid(
                        f"Quota limit {limit} for {name} must be greater than or equal to already used and reserved "
                        f"{held[name]}."
                    )
        quotas.set_limits(project_id, changes)


def reset_limits(project_id: str) -> None:
    """Let the defaults hold again for a project."""
    quotas.clear_limits(project_id, RESOURCES)


def change_default_limits(changes: Mapping[str, int]) -> None:
    """Change the limits of all projects without limits of their own."""
    quotas.set_class_limits(changes)


def _height(limit: int) -> float:
    return _HIGHEST if limit == quotas.UNLIMITED else limit
