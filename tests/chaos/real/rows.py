"""What the database says, read beside the cloud: for aiming at a moment and for judging what became of it."""

import time
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.chaos.real.postgres import PostgresServer

_OF_SERVER = """
    SELECT o.* FROM compute_operation o JOIN compute_instance i ON i.uuid = o.instance_uuid
    WHERE i.display_name = %s ORDER BY o.started_at DESC, o.id DESC LIMIT 1
"""
_STEP = """
    SELECT s.state FROM compute_step s JOIN compute_operation o ON o.id = s.operation_id AND o.attempt = s.attempt
    WHERE o.id = %s AND s.name = %s
"""
_PROGRESS = """
    SELECT o.id, o.state, o.attempt, o.started_at,
           count(s.id) FILTER (WHERE s.state IN ('done', 'skipped', 'failed')) AS ended
    FROM compute_operation o LEFT JOIN compute_step s ON s.operation_id = o.id
    {where} GROUP BY o.id
"""


@dataclass(frozen=True)
class Standing:
    """How far an operation is: what only grows."""

    state: str
    attempt: int
    ended: int


class Rows:
    """The tables; a database that is away is waited for."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._connection: psycopg.Connection | None = None

    def all(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Return the rows of a statement."""
        deadline = time.monotonic() + 30
        while True:
            try:
                if self._connection is None or self._connection.closed:
                    self._connection = self._server.connect()
                with self._connection.cursor(row_factory=dict_row) as cursor:
                    return cursor.execute(statement, values).fetchall()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "the database stays away"
                self.close()
                time.sleep(0.1)

    def latest(self, server_name: str) -> dict[str, Any]:
        """Return the newest operation of a server; empty if there is none."""
        return next(iter(self.all(_OF_SERVER, server_name)), {})

    def step(self, operation_id: str, name: str) -> str:
        """Return how a step of the operation's current attempt stands; empty if there is no such row."""
        found = self.all(_STEP, operation_id, name)
        return found[0]["state"] if found else ""

    def under_way(self) -> dict[str, Standing]:
        """Return how far all running operations are."""
        return _standings(self.all(_PROGRESS.format(where="WHERE o.state = 'running'")))

    def standings(self, operation_ids: list[str]) -> dict[str, Standing]:
        """Return how far these operations are."""
        return _standings(self.all(_PROGRESS.format(where="WHERE o.id = ANY(%s)"), operation_ids))

    def close(self) -> None:
        """Forget the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _standings(rows: list[dict[str, Any]]) -> dict[str, Standing]:
    return {row["id"]: Standing(row["state"], row["attempt"], row["ended"]) for row in rows}
