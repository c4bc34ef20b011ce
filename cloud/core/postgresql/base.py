"""The backend that `cloud.config.databases` names. Django looks for it in a module called base.

The server's own statement_timeout is of no use against a server that is stopped, and TCP sees nothing wrong with it:
its kernel takes what we send. So the client gives up by itself and closes the connection, which ends the transaction
there as soon as the server looks.
"""

import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations
from psycopg.errors import _WaitTimeout
from psycopg.types.numeric import Int8

_POLL_SECONDS = 0.1
# Who answered within this time is not asked whether he is there before each request and each task.
_FRESH_SECONDS = 1.0
_MOST_PREPARED = 400
_MOST_BOUND = 2**16 - 1
_INT4 = range(-(2**31), 2**31)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection on which no answer is awaited for longer than `answer_seconds`; 0 is for ever.

    `answered_at`: when the server last answered, on the monotonic clock.
    """

    answer_seconds = 0.0
    answered_at = float("-inf")

    def wait(self, gen: Any, interval: float = _POLL_SECONDS, timeout: float | None = None) -> Any:
        """See psycopg.

        Raises:
            psycopg.OperationalError: the server was silent for too long; the connection is closed.
        """
        if timeout is not None or not self.answer_seconds:
            return super().wait(gen, interval, timeout)
        try:
            answer = super().wait(gen, interval, self.answer_seconds)
        except _WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer from the database in {self.answer_seconds:g} s") from error
        self.answered_at = time.monotonic()
        return answer


class BoundCursor(base.ServerBindingCursor):
    """Django's own; a statement with more values than the protocol has room for takes them into its text."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """See psycopg."""
        if params is not None and len(params) > _MOST_BOUND:
            query, params = psycopg.ClientCursor(self.connection).mogrify(query, params), None
        return super().execute(query, params, **options)


class DatabaseOperations(operations.DatabaseOperations):
    """Django's own, but for integers that are larger than the field which an expression takes them for."""

    def adapt_integerfield_value(self, value: Any, internal_type: str) -> Any:
        """See Django; it cuts off what does not fit when values go to the server beside the statement."""
        if isinstance(value, int) and value not in _INT4:
            return Int8(value)
        return super().adapt_integerfield_value(value, internal_type)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, with bounded connections, which are checked before use where they rested for a moment."""

    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> BoundedConnection:
        """Connect; the option `answer_seconds` is ours."""
        parameters = dict(conn_params)
        answer_seconds = float(parameters.pop("answer_seconds", 0))
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = BoundedConnection.connect(**{**parameters, "cursor_factory": BoundCursor})
        connection.answer_seconds = answer_seconds
        connection.prepared_max = _MOST_PREPARED
        return connection

    def close_if_health_check_failed(self) -> None:
        """See Django."""
        found = self.connection
        if found is not None and not found.closed and time.monotonic() - found.answered_at < _FRESH_SECONDS:
            self.health_check_done = True
        super().close_if_health_check_failed()
