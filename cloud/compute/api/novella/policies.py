"""Who may ask what goes beyond OpenStack. What a dry run rehearses needs the row of the real request as well."""

from cloud.core.policy import Rule, admin, project_member, project_reader

_ROWS: dict[Rule, tuple[str, ...]] = {
    project_reader: ("servers:placement",),
    project_member: ("dry-runs",),
    admin: ("hosts", "dry-runs:drain"),
}
NOVELLA_POLICIES = {f"novella:{name}": rule for rule, names in _ROWS.items() for name in names}
