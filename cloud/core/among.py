"""A list that is one value of a statement, however long it is: `filter(host__among=Many(hosts))`.

`__in` binds each member by itself, which for the hosts of a network of hundreds of ports takes longer than all else
that is asked for them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson
from django.db.models import Field, Lookup


@dataclass(frozen=True)
class Many:
    """Texts or numbers, of one kind."""

    values: Collection[Any]

    def adapted(self, vendor: str) -> Any:
        """Return it as the database's driver is given it."""
        return list(self.values) if vendor == "postgresql" else orjson.dumps(list(self.values)).decode()


@Field.register_lookup
class Among(Lookup):
    """Whether a column's value is a member of a `Many`."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """See Django."""
        column, parameters = self.process_lhs(compiler, connection)
        test = "= ANY(%s)" if connection.vendor == "postgresql" else "IN (SELECT value FROM json_each(%s))"
        return f"{column} {test}", [*parameters, self.rhs.adapted(connection.vendor)]
