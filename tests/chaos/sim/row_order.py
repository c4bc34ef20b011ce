"""Whether every transaction locks rows in the one order: two that meet in another wait for each other for ever.

What a simulation does is done by one process at a time, so nobody ever waits in it; the order shows all the same.
"""

import re
from typing import Any

# What no transaction may have locked before, as cloud.compute.services.row_locks says: by table, those that come later.
# The rows of a move, and what a provider has and gives, are changed by whoever has locked the server, or the provider.
LATER = {
    "compute_service": frozenset({
        "placement_resourceprovider", "compute_instance", "compute_migration", "compute_operation", "compute_step",
        "identity_quotausage",
    }),
    "placement_resourceprovider": frozenset({
        "compute_instance", "compute_migration", "compute_operation", "compute_step", "identity_quotausage"
    }),
    "compute_instance": frozenset({"compute_migration", "compute_operation", "compute_step", "identity_quotausage"}),
    "compute_operation": frozenset({"compute_step", "identity_quotausage"}),
    "compute_step": frozenset({"identity_quotausage"}),
}  # fmt: skip
_LOCKED = re.compile(r'^(?:UPDATE|DELETE FROM) "(\w+)"|^SELECT .*? FROM "(\w+)".* FOR UPDATE', re.DOTALL)
# SQLite has one lock for all, and is told of those that PostgreSQL would take by a remark.
_REMARK = "/* FOR UPDATE */"


class RowOrder:
    """The rows that the transaction under way has locked, by their tables."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._locked: set[str] = set()
        if connection.vendor == "sqlite":
            connection.features.has_select_for_update = connection.features.has_select_for_update_skip_locked = True
            connection.ops.for_update_sql = lambda **how: _REMARK

    def begin_anew(self) -> None:
        """Forget what was locked: the transaction is over."""
        self._locked.clear()

    def breach(self, sql: str, row_count: int) -> str:
        """Note what a statement locked; return what is wrong with that, if something is."""
        found = _LOCKED.match(sql)
        if not found or row_count == 0 or not self._connection.in_atomic_block:
            return ""
        table = found[1] or found[2]
        later = LATER.get(table, frozenset()) & self._locked
        is_new = table not in self._locked
        self._locked.add(table)
        return f"rows of {table} are locked after those of {', '.join(sorted(later))}" if later and is_new else ""
