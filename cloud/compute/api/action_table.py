"""`POST .../action`: one path, and what to do named by the only key of the body."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloud.core.endpoints import ApiRequest, Endpoint, endpoint
from cloud.core.errors import Invalid, MalformedBody, NotFound
from cloud.core.microversions import ByVersion, Version, at_version, version
from cloud.core.policy import enforce
from cloud.core.validation import Schema, check_body

_OBJECT = {"type": "object"}


@dataclass(frozen=True)
class Action:
    """A row of an action table.

    Attributes:
        run: called as run(request, **path values). policy: row of the policy table. body: schema of the whole body.
        since, until: microversions at which it exists, both included; empty for all.
    """

    run: Callable[..., Any]
    policy: str
    body: Schema | ByVersion
    since: str = ""
    until: str = ""

    def exists_at(self, number: Version) -> bool:
        """Tell whether the action exists at a microversion."""
        is_old_enough = not self.until or number <= version(self.until)
        return is_old_enough and (not self.since or number >= version(self.since))


def action_endpoint(policy: str, table: Mapping[str, Action]) -> Endpoint:
    """Return the endpoint that serves a table of actions.

    Args:
        policy: who may ask at all; each action has a row of its own besides.
        table: by the name in the body.
    """

    def run(request: ApiRequest, **where: Any) -> Any:
        found = _find(table, request.body)
        if not found.exists_at(request.version):
            raise NotFound
        enforce(request.context, found.policy)
        check_body(at_version(found.body, request.version), request.body)
        return found.run(request, **where)

    run.actions = table  # type: ignore[attr-defined]  # the served document lists their bodies
    return endpoint(policy)(run)


def _find(table: Mapping[str, Action], body: Any) -> Action:
    check_body(_OBJECT, body)
    if len(body) != 1:
        raise MalformedBody
    name = next(iter(body))
    if name not in table:
        raise Invalid(f"There is no such action: {name[:100]}")
    return table[name]
