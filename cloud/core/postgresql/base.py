"""The backend that `cloud.config.databases` names. Django looks for it in a module called base.

The server's own statement_timeout is of no use against a server that is stopped, and TCP sees nothing wrong with it:
its kernel takes what we send. So the client gives up by itself and closes the connection, which ends the transaction
there as soon as the server looks.
"""

import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg.errors import _WaitTimeout

_POLL_SECONDS = 0.1
# Who answered within this time is not asked whether he is there before each request and each task.
_FRESH_SECONDS = 1.0


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


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, with bounded connections, which are checked before use where they rested for a moment."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> BoundedConnection:
        """Connect; the option `answer_seconds` is ours."""
        parameters = dict(conn_params)
        answer_seconds = float(parameters.pop("answer_seconds", 0))
        self.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        connection = BoundedConnection.connect(**parameters)
        connection.answer_seconds = answer_seconds
        return connection

    def close_if_health_check_failed(self) -> None:
        """See Django."""
        found = self.connection
        if found is not None and not found.closed and time.monotonic() - found.answered_at < _FRESH_SECONDS:
            self.health_check_done = True
        super().close_if_health_check_failed()
