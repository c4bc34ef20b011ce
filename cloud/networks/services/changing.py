"""Saving changed rows: the revision grows with every change."""

from typing import Any

from django.db.models import Model


def save_changes(row: Model, changed: dict[str, Any]) -> None:
    """Set columns of a locked row and save it under its next revision."""
    for name, value in changed.items():
        setattr(row, name, value)
    row.revision_number += 1  # type: ignore[attr-defined]  # each model of this domain has it
    row.save(update_fields=[*changed, "revision_number", "updated_at"])


def renamed(values: dict[str, Any], names: dict[str, str], *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return attributes of the API by the names of their columns, leaving out what is no column."""
    return {names.get(name, name): value for name, value in values.items() if name not in without}
