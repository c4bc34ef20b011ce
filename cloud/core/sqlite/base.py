"""The backend that `cloud.config.databases` names. Django looks for it in a module called base."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from cloud.core.sqlite.turns import Turn

_WRITES = ("INSERT", "UPDATE", "DELETE")


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but who writes waits for his turn instead of sleeping until he may look again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turn: Turn | None = None
        self.execute_wrappers.append(self._in_turn)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; what is in memory is one writer's alone."""
        connection = super().get_new_connection(conn_params)
        if not self.is_in_memory_db():
            self._turn = Turn(Path(f"{self.settings_dict['NAME']}-turn"), conn_params.get("timeout", 5.0))
        return connection

    def _in_turn(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's signature
        """Write a single statement that stands in no transaction."""
        self.ensure_connection()
        if self.in_atomic_block or not sql.startswith(_WRITES):
            return execute(sql, params, many, context)
        self._take_turn()
        try:
            return execute(sql, params, many, context)
        finally:
            self._give_back()

    def _start_transaction_under_autocommit(self) -> None:
        self._take_turn()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._give_back()
            raise

    def _commit(self) -> None:
        super()._commit()
        self._give_back()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._give_back()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            if self._turn is not None:
                self._turn.close()
                self._turn = None

    def _take_turn(self) -> None:
        if self._turn is not None and not self._turn.take():
            raise OperationalError("database is locked")

    def _give_back(self) -> None:
        if self._turn is not None:
            self._turn.give_back()
