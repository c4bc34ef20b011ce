"""Who asks, for which project, with which roles: the answer of authentication, handed to every service."""

import contextvars
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
current_request_id: contextvars.ContextVar[str] = contextvars.ContextVar("current_request_id", default="-")


def new_request_id() -> str:
    """Return a fresh id of the form `req-<uuid>`."""
    return f"req-{uuid.uuid4()}"


def is_request_id(text: str) -> bool:
    """Tell whether a client's global request id has the right form."""
    return _REQUEST_ID.fullmatch(text) is not None


@dataclass(frozen=True)
class RequestContext:
    """The identity behind a request. `roles` holds implied roles too. Exactly one scope is set, or none.

    Attributes:
        project_id: empty unless the token is scoped to a project.
        domain_id: empty unless the token is scoped to a domain. is_system: scoped to the system.
        methods: how the token was obtained, e.g. ("password",).
        application_credential_id: empty unless one was used; `is_restricted` then forbids making credentials.
    """

    request_id: str
    user_id: str
    user_name: str = ""
    user_domain_id: str = "default"
    project_id: str = ""
    project_name: str = ""
    project_domain_id: str = ""
    domain_id: str = ""
    is_system: bool = False
    roles: frozenset[str] = frozenset()
    methods: tuple[str, ...] = ()
    expires_at: datetime | None = None
    issued_at: datetime | None = None
    audit_ids: tuple[str, ...] = ()
    application_credential_id: str = ""
    is_restricted: bool = False
    token: str = field(default="", repr=False)

    @property
    def is_admin(self) -> bool:
        """Whether the admin role is among the roles."""
        return "admin" in self.roles


def seen_by(context: RequestContext) -> dict[str, Any]:
    """Return what of a context decides which rows it sees, as values of a kept statement; see `viewer`."""
    return {"project_id": "" if context.is_admin else context.project_id, "is_admin": context.is_admin}


def viewer(project_id: str, *, is_admin: bool) -> RequestContext:
    """Return a context that sees the same rows, for the function that writes a kept statement."""
    return RequestContext("", "", project_id=project_id, roles=frozenset({"admin"} if is_admin else ()))


Authenticator = Callable[[str, str], RequestContext | None]
_authenticators: list[Authenticator] = []


def register_authenticator(authenticator: Authenticator) -> None:
    """Name the function `(token, request_id) -> RequestContext or None`. The identity app does it at start."""
    _authenticators[:] = [authenticator]


def authenticate(token: str, request_id: str) -> RequestContext | None:
    """Return the context of a token, or None where it is not valid (any more)."""
    return _authenticators[0](token, request_id) if _authenticators else None
